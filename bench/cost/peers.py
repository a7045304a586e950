"""The proxies that are compared, each configured to do the same: put a Bearer token on requests.

Envoy by its credential_injector with client credentials; nginx and HAProxy with a fixed field;
the obvious forwarder; and the product on a real configuration file.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.subject import PROGRAM

HERE = Path(__file__).parent
OURS = "token-sidecar"


@dataclass(frozen=True, slots=True)
class Scene:
    """What every peer is told: where things are, and whether the upstream wants TLS."""

    home: Path
    provider: int
    upstream: int
    certificate: Path
    tls: bool

    @property
    def url(self) -> str:
        """The upstream's."""
        return f"{'https' if self.tls else 'http'}://localhost:{self.upstream}"

    def file(self, name: str, text: str) -> str:
        """A configuration file; its path."""
        path = self.home / f"{'tls' if self.tls else 'plain'}-{name}"
        path.write_text(text)
        return str(path)


def commands(scene: Scene, ports: dict[str, int]) -> dict[str, list[str]]:
    """How each peer is started, to listen on its port."""
    return {name: make(scene, ports[name]) for name, make in PEERS.items()}


def ours(scene: Scene, port: int) -> list[str]:
    """The product."""
    tls = {"tls": {"ca_file": str(scene.certificate)}} if scene.tls else {}
    whole = {
        "listen": f"127.0.0.1:{port}",
        "admin": "off",
        "state_dir": str(scene.home / "state"),
        "log": {"access": False},
        "credentials": {
            "bench": {
                "token_url": f"http://127.0.0.1:{scene.provider}/token",
                "client_id": "bench",
                "client_secret": {"file": scene.file("secret", "bench-secret")},
            }
        },
        "routes": [{"path": "/", "upstream": scene.url, "credential": "bench", **tls}],
    }
    return [*PROGRAM, "run", "--config", scene.file("sidecar.yaml", json.dumps(whole))]


def nginx(scene: Scene, port: int) -> list[str]:
    """Nginx with a fixed Authorization."""
    text = f"""worker_processes 1; daemon off; pid {scene.home}/nginx-{port}.pid;
error_log {scene.home}/nginx-{port}.err;
events {{ worker_connections 9900; }}
http {{ access_log off; client_max_body_size 0; keepalive_requests 100000000;
 upstream u {{ server 127.0.0.1:{scene.upstream}; keepalive 256; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{port} backlog=4096; location / {{
  proxy_pass {scene.url.partition(":")[0]}://u; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header Authorization "Bearer abcdefg";
  proxy_ssl_trusted_certificate {scene.certificate}; proxy_ssl_verify on;
  proxy_ssl_name localhost; proxy_buffering off; proxy_request_buffering off;
  proxy_buffer_size 64k; proxy_buffers 8 64k; }} }} }}
"""
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", scene.file("nginx.conf", text)]


def haproxy(scene: Scene, port: int) -> list[str]:
    """HAProxy with a fixed Authorization."""
    tls = f" ssl verify required ca-file {scene.certificate}" if scene.tls else ""
    text = f"""global
  maxconn 9600
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind 127.0.0.1:{port}
  http-request set-header Authorization "Bearer abcdefg"
  default_backend b
backend b
  server s 127.0.0.1:{scene.upstream}{tls}
"""
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    return [program, "-db", "-f", scene.file("haproxy.cfg", text)]


def envoy(scene: Scene, port: int) -> list[str]:
    """Envoy with its credential_injector."""
    tls = ""
    if scene.tls:
        kind = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
        context = {
            "@type": kind,
            "sni": "localhost",
            "common_tls_context": {
                "validation_context": {"trusted_ca": {"filename": str(scene.certificate)}}
            },
        }
        wrapped = {"name": "envoy.transport_sockets.tls", "typed_config": context}
        tls = f", transport_socket: {json.dumps(wrapped)}"
    text = (HERE / "envoy.yaml.in").read_text()
    for mark, value in (
        ("@PORT@", port),
        ("@UPSTREAM@", scene.upstream),
        ("@PROVIDER@", scene.provider),
        ("@TLS@", tls),
    ):
        text = text.replace(mark, str(value))
    program = str(Path(sys.executable).with_name("envoy"))
    quiet = ["--disable-hot-restart", "--concurrency", "1", "-l", "error"]
    return [program, "-c", scene.file("envoy.yaml", text), *quiet]


def naive(scene: Scene, port: int) -> list[str]:
    """The obvious forwarder."""
    ca = [str(scene.certificate)] if scene.tls else []
    return [sys.executable, str(HERE / "naive.py"), str(port), scene.url, *ca]


PEERS = {"envoy": envoy, OURS: ours, "nginx": nginx, "haproxy": haproxy, "aiohttp": naive}
