"""Stands for your program: it asks an API at http://127.0.0.1:8080 and knows of no token.

`serve` answers GET /PATH on port 8000 with what the API answers to it; `once` asks and ends, and
with `quit` behind it also ends the sidecar, where Kubernetes does not.
"""

import http.client
import http.server
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

API = "http://127.0.0.1:8080"
QUIT = "http://127.0.0.1:8081/quitquitquit"


def ask(path="/"):
    """The API's status and body."""
    try:
        with urllib.request.urlopen(API + path, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def first():
    """The first answer's status; a native sidecar is never refused, an ordinary one may be late."""
    for refusals in range(60):
        try:
            status, _ = ask()
        except urllib.error.URLError:
            time.sleep(0.5)
        else:
            print("first answer", status, "after", refusals, "refusals", flush=True)
            return status
    sys.exit("nobody listens at " + API)


class Reports(http.server.BaseHTTPRequestHandler):
    """One caller's connection."""

    def do_GET(self):
        """The API's answer, or that we live."""
        try:
            status, body = (200, b"ok\n") if self.path == "/healthz" else ask(self.path)
        except (OSError, http.client.HTTPException) as error:
            status, body = 502, f"{error}\n".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Quietly."""


class Server(http.server.ThreadingHTTPServer):
    """Waits at its end for the requests that run."""

    daemon_threads = False
    request_queue_size = 128


def serve():
    """Until SIGTERM; then one last request, which still goes through."""
    first()
    server = Server(("", 8000), Reports)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    print("last answer", ask()[0], flush=True)


def once(*, ends_the_sidecar):
    """0 where the API says 200."""
    try:
        return 0 if first() == 200 else 1
    finally:
        if ends_the_sidecar:
            urllib.request.urlopen(urllib.request.Request(QUIT, method="POST"), timeout=10).close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["once"]:
        sys.exit(once(ends_the_sidecar=sys.argv[2:] == ["quit"]))
    serve()
