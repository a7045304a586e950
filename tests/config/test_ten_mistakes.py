from collections.abc import Callable

TEN = """\
listen: 0.0.0.0:8080
holdd: 10s
limits: {target: 8KB}
credentials:
  a: {token_url: https://idp/token, client_id: 123, client_secret: {env: A}}
  b: {token_url: http://idp.example.com/token, client_id: b, client_secret: {env: B}}
  c: {token_url: https://idp/token, client_id: c, grant: pasword, client_secret: {env: B}}
routes:
  - {path: /a/, upstream: https://u/, credential: aa}
  - {path: /a, upstream: https://u/, credential: a}
  - {path: /b, upstream: "http://localhost:8080/", credential: none}
  - {path: /c, upstream: https://u/, credential: none, header: Host}
"""


def test_ten_mistakes_in_one_file_are_ten_located_messages(
    problems: Callable[[str], list[str]],
) -> None:
    assert problems(TEN) == [
        "1:9: `listen` is reached from other machines: use loopback, or say `allow_remote: true`",
        "2:1: unknown key `holdd`; did you mean `hold`?",
        "3:18: `target` must be a size such as 65536, 64KiB, 1MiB or 10GiB",
        "5:48: `client_id` must be text: put it in quotes",
        "6:18: `token_url` sends secrets over plain http to another machine: use https, "
        "or say `allow_insecure: true` beside it",
        "7:58: `grant` must be one of client_credentials, password, refresh_token, "
        "authorization_code, device_code, token_exchange, jwt_bearer, session, static; "
        "did you mean `password`?",
        "9:51: `credential` names `aa`, which is not in credentials; did you mean `a`?",
        "10:12: the same listener, host and path as the route on line 9: change one",
        "11:26: `upstream` is our own listener 0.0.0.0:8080: requests would go round",
        "12:64: `header` can't be a field that frames the message or ends here",
    ]


def test_a_mistake_is_not_told_twice_as_something_missing(
    problems: Callable[[str], list[str]],
) -> None:
    text = """\
        credentals:
          a: {token_url: https://idp/token, client_id: a, client_secret: {env: A}}
        routes:
          - {upstream: https://u/, credential: a}
        """
    assert problems(text) == ["1:1: unknown key `credentals`; did you mean `credentials`?"]


def test_a_misspelt_secret_key_is_one_mistake(problems: Callable[[str], list[str]]) -> None:
    text = """\
        credentials:
          a: {token_url: https://idp/token, client_id: a, client_secert: {env: A}}
        """
    assert problems(text) == ["2:51: unknown key `client_secert`; did you mean `client_secret`?"]


def test_a_key_in_the_wrong_section_is_told_its_home(problems: Callable[[str], list[str]]) -> None:
    text = """\
        routes:
          - {upstream: https://u/, credential: none, hold: 3s}
        """
    assert problems(text) == ["2:46: unknown key `hold`; it belongs to the file's top level"]
