"""What every visit watches for is noticed, also in a page that the test opens later."""

import pytest

from tests.browser.pages import look_around, visits

pytestmark = pytest.mark.browser
HEAD = '<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">'
WRONG = {
    "said": "console.info('a complaint')",
    "thrown": "setTimeout(() => { throw new Error('a complaint'); })",
    "asked": "fetch('file:///a-complaint').catch(() => {})",
}


def a_visit(browser, address, script, later):
    with visits(browser) as visit:
        page = visit(address, wait=False)
        if later:
            page = page.context.new_page()
            page.goto(address)
        page.evaluate(f"() => {{ {script} }}")
        page.wait_for_timeout(100)


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("kind", WRONG)
def test_what_goes_wrong_in_a_page(chromium, tmp_path, kind, later):
    file = tmp_path / "page.html"
    file.write_text(f"{HEAD}<p>Text</p>", "utf-8")
    with pytest.raises(AssertionError, match="complaint"):
        a_visit(chromium, file.as_uri(), WRONG[kind], later)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("<main><h1>Title</h1><div style='width: 500px'>Wide</div></main>", "<= 390"),
        ("<main><h1>Title</h1><button></button></main>", "button-name"),
        ("<main><h1 style='color: #eee'>Title</h1></main>", "color-contrast"),
    ],
    ids=["wide", "nameless", "pale"],
)
def test_what_a_look_around_refuses(visit_page, tmp_path, body, message):
    file = tmp_path / "page.html"
    file.write_text(
        f'{HEAD}<meta name="viewport" content="width=device-width, initial-scale=1">{body}', "utf-8"
    )
    with pytest.raises(AssertionError, match=message):
        look_around(visit_page(file.as_uri(), wait=False))
