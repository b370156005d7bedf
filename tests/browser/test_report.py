"""A report in a browser: it loads nothing else, fits a phone, and is accessible."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

import engagement_pandas as ep

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report on all types, with missing counts, and markup and Arabic in its texts."""
    with ep.demo_client(now="2026-04-15T12:20:00Z") as demo:
        request = ep.historical(
            demo.posts,
            engagement_types=list(ep.SERIES_TYPES),
            window=ep.Window.covering("2026-03-25", "2026-04-12"),
        )
        counts, posts = ep.flatten(demo.client.fetch(request)), demo.posts.copy()
    counts.loc[counts.index % 97 == 0, "count"] = pd.NA
    posts["text"] = "<script>document.title = 'run'</script> \N{ARABIC LETTER SEEN}"
    path = tmp_path_factory.mktemp("report") / "week.html"
    ep.report(counts, posts, path, title="Our week")
    return path


@pytest.mark.parametrize("width", [390, 1400])
def test_a_report_loads_nothing_and_fits_the_window(
    page_file: Path, width: int, browser: Browser
) -> None:
    """The only request is the page, and no script has run."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    requests, messages = list[str](), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.goto(page_file.as_uri())
    assert page.title() == "Our week"
    assert requests == [page_file.as_uri()]
    assert messages == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("figure svg[role=img]").count() == 4
    page.close()


def test_axe_finds_no_violation(page_file: Path, browser: Browser) -> None:
    """Axe is a script, which the page itself would not allow."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    results = Axe().run(page, options={"resultTypes": ["violations"]})
    assert [rule["id"] for rule in results.response["violations"]] == []
    context.close()


def test_a_report_prints_as_a_pdf(page_file: Path, browser: Browser) -> None:
    """The page size is that of its style."""
    page = browser.new_page()
    page.goto(page_file.as_uri())
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    page.close()
