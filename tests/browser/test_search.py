"""The search of the built book, opened from disk: lessons first, clean lines, and nothing fetched."""

import re

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FAMILY = {"GAN": "5.1 The", "ELBO": "4.", "KL": "1.2 The", "VAE": "4.1 The"}  # where the first result belongs


@pytest.fixture
def search(chromium, lesson_page):
    """A function from a query to its results, (title, address, line), and what the page complains of."""
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.on("request", lambda request: complaints.append(request.url) if request.resource_type == "fetch" else None)

    def ask(query: str) -> tuple[list[tuple[str, str, str]], list[str]]:
        page.goto((lesson_page.parents[1] / "search.html").as_uri() + f"?q={query}")
        page.wait_for_function("Search.status?.innerText.includes('finished')")
        read = "items => items.map(li => [li.firstChild.innerText, li.firstChild.href, li.innerText])"
        found = page.eval_on_selector_all("#search-results li", read)
        return [(title, address, text.removeprefix(title).strip()) for title, address, text in found], complaints

    yield ask
    page.close()


@pytest.mark.parametrize(("query", "first"), FAMILY.items())
def test_lessons_come_first_with_a_line_of_their_prose(search, query, first):
    found, complaints = search(query)
    assert complaints == []
    assert found[0][0].startswith(first)
    is_lesson = [bool(re.search(r"/0\d_\w+/0\d_", address)) for _, address, _ in found]
    assert is_lesson == sorted(is_lesson, reverse=True)
    assert len({address for _, address, _ in found}) == len(found)
    assert re.search(rf"\b{query}", found[0][2], re.I)
    for _, _, line in found:
        assert 10 < len(line) < 260
        assert not re.search(r"System Settings|\\[a-zA-Z]|\bimport \w+ as\b", line)


def test_a_lesson_is_found_by_its_title_and_numbered_once(search):
    """It answers as a title and as a text: the better of the two decides its place."""
    found, _ = search("The+two-player+game")
    assert found[0][0] == "5.1 The two-player game"
    assert not any(re.match(r"([\d.]+) \1", title) for title, _, _ in found)


def test_a_page_of_the_reference_is_told_from_the_chapter_of_its_name(search):
    titles = [title for title, _, _ in search("VAE")[0]]
    assert {"Variational autoencoders", "Variational autoencoders (API)"} <= set(titles)
    assert len(set(titles)) == len(titles)


def test_of_many_terms_of_the_glossary_the_one_that_was_asked_for_is_listed(search):
    assert [address.partition("#")[2] for title, address, _ in search("VAE")[0] if "glossary" in title] == ["term-VAE"]


def test_a_name_of_the_package_leads_to_it_first(search):
    found, _ = search("gan_critic_loss")
    assert found[0][0] == "gmcourse.gan.losses.gan_critic_loss"
    assert found[0][1].endswith("/api/gan.html#gmcourse.gan.losses.gan_critic_loss")
    assert any(title.startswith("5.1 ") for title, _, _ in found)


def test_several_words_are_looked_for_near_each_other(search):
    found, _ = search("mode+collapse")
    assert "mode collapse" in found[0][2].lower()
    assert [text for title, _, text in found if title == "Notation and glossary"][0].startswith(
        "mode collapse: The failure"
    )
