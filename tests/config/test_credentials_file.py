import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.credentials_file import FileClient, parse
from proxy.config.scalars import UnfitError
from proxy.secret import Secret

WHOLE = FileClient("my-id", Secret("s3cr3t"), "https://d/token")


@pytest.mark.parametrize(
    "text",
    [
        "client_id,client_secret,token_url\nmy-id,s3cr3t,https://d/token\n",
        "name,token_url,client_secret,client_id\r\nx,https://d/token,s3cr3t,my-id\r\n",
        '"Client ID","Client Secret","Token URL"\n"my-id","s3cr3t","https://d/token"\n',
        "client_id,my-id\nclient_secret,s3cr3t\ntoken_url,https://d/token\n",
        "key,value\nclient_id, my-id \nclient_secret,s3cr3t\n\ntoken_url,https://d/token\n",
        "[env]\nclient_id = my-id\nclient_secret = s3cr3t\ntoken_url = https://d/token\n",
        "[a]\nx = 1\n[b]\nCLIENT_ID: my-id\nclient_secret: s3cr3t\ntoken_url: https://d/token\n",
    ],
)
def test_each_layout_holds_the_same_client(text: str) -> None:
    assert parse(text) == WHOLE


def test_a_percent_sign_in_an_ini_is_itself() -> None:
    found = parse("[a]\nclient_id = i\nclient_secret = 100%(x)s%\n")
    assert found.client_secret == Secret("100%(x)s%")


def test_a_comma_in_quotes_belongs_to_the_value() -> None:
    found = parse('client_id,client_secret\ni,"a,b"\n')
    assert found.client_secret == Secret("a,b")
    assert found.token_url is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "has no client_id and client_secret"),
        ("a,b\nc,d\n", "has no client_id and client_secret"),
        ("[a]\nclient_id = i\n", "has no client_id and client_secret"),
        ("client_id,client_secret\n", "must have one row of values"),
        ("client_id,client_secret\na,S3CR3T\nc,d\n", "must have one row of values"),
        ('client_id,client_secret\n"a"x,S3CR3T\n', "is not a well-formed csv"),
        ("S3CR3T\n[a]\nS3CR3T\n", "is not a well-formed ini"),
    ],
)
def test_what_is_wrong_is_told_without_the_content(text: str, expected: str) -> None:
    with pytest.raises(UnfitError, match=expected) as caught:
        parse(text)
    assert "S3CR3T" not in str(caught.value)


@given(st.text(alphabet=st.sampled_from('[]=,:"%;#\n\r\t client_idsecret')))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnfitError):
        parse(text)
