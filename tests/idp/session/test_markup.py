"""Tags and text of whatever a server calls HTML, in time that grows with its length alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.idp.session.markup import End, Start, Text, pieces
from proxy.idp.session.page import read


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("a<b>c</b>", [Text("a"), Start("b"), Text("c"), End("b")]),
        ("<A HREF='x&amp;y'>", [Start("a", {"href": "x&y"})]),
        ('<a b=1 c="2>" d e = f>', [Start("a", {"b": "1", "c": "2>", "d": "", "e": "f"})]),
        ("<br/><i/x>", [Start("br"), Start("i", {"x": ""})]),
        ("<a b=1 B=2>", [Start("a", {"b": "1"})]),
        ("<!-- <a> --><b>", [Start("b")]),
        ("<!doctype html><?x y?><b>", [Start("b")]),
        ("1 < 2", [Text("1 "), Text("<"), Text(" 2")]),
        ("<script>if (a<b) '</b>'</script ><i>", [Start("script"), End("script"), Start("i")]),
        ("<title>a <b> &lt;</TITLE>", [Start("title"), Text("a <b> <"), End("title")]),
        ("<a href='x", []),
        ("<a", []),
        ("<!-- never", []),
        ("</", []),
        ("<a =x>", [Start("a", {"=x": ""})]),
        ("&notanything; &#0; &#xD800;", [Text("\u00acanything; \ufffd \ufffd")]),
    ],
)
def test_markup_is_cut_as_browsers_cut_it(markup: str, found: list[object]) -> None:
    assert list(pieces(markup)) == found


@given(st.text(alphabet="<>/!-=\"' abtitlescriptforminput&;#\n\x00é", max_size=300))
def test_no_page_is_a_crash(markup: str) -> None:
    list(pieces(markup))
    read(markup)


ELEMENTS = [
    "<form>", "</form>", "<input name=a type=password>", "<a href=x>", "</a>", "<div class=error>",
    "</div>", "<select name=s>", "<option value=1 selected>", "<title>", "<textarea name=t>",
    "</textarea>", "<button name=b>", "</button>", "x", "<base href=//>",
]  # fmt: skip


@given(st.lists(st.sampled_from(ELEMENTS)))
def test_no_order_of_elements_is_a_crash(elements: list[str]) -> None:
    page = read("".join(elements))
    assert all(one.name for form in page.forms for one in form.fields)


HOSTILE = [
    "<!--", "<!", "<?", "</", "<a ", '<a b="', "<a b='\"", "<a b=", "<a\n", "<", "&", "&#", "&lt",
    "<![CDATA[", "<script>", "<title>", "<textarea></", "<a href=x>", "<form>", "<div class=error>",
    "<input name=a>", "<form><input name=a>", "<select name=a><option>", "<button name=a>", "<a = ",
    "<div class=error></div>", "<a href=x></a>", "<form></form>",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_page_of_twice_the_length_takes_no_more_than_about_twice_the_time(piece: str) -> None:
    def seconds(length: int) -> float:
        markup = piece * (length // len(piece))
        started = time.process_time()
        read(markup)
        return time.process_time() - started

    # Anything that grows with the square is 256 times slower here.
    assert seconds(1 << 17) <= 64 * max(seconds(1 << 13), 0.005)
