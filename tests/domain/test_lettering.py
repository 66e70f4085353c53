"""Signs that nobody can read, words in two scripts, and names that look alike."""

# ruff: noqa: RUF001 - letters of other scripts are meant

import pytest

from cab_registry.domain.lettering import find_mixed, find_unreadable, list_lettering, outline

NAMES = [
    "株式会社UL Japan",
    "国家市場監督管理総局",
    "한국산업기술시험원 (KTL)",
    "هيئة التقييس لدول مجلس التعاون GSO",
    "سازمان ملی استاندارد ایران می‌شود",
    "ශ්‍රී ලංකාව",
    "ООО «РОСТЕСТ-Москва» ISO 9001",
    "Ελληνικός Οργανισμός ΕΛΟΤ SA",
    "TÜV SÜD Product Service GmbH",
    "Łukasiewicz – Instytut",
    "β-Lab, Ω and µm",
    "CETECOM™ Inc. №1",
    "Թեստ Lab",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_script_pass_with_latin_words_beside_them(name: str) -> None:
    assert (find_unreadable(name), find_mixed(name)) == (None, None)


@pytest.mark.parametrize(
    ("sign", "named"),
    [
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\u200b", "U+200B"),
        ("\u200d", "U+200D"),
        ("\ufeff", "U+FEFF"),
        ("\u00ad", "U+00AD"),
        ("\x1b", "U+001B"),
        ("\x00", "U+0000"),
        ("\x85", "U+0085"),
        ("\r", "U+000D"),
        ("\n", "U+000A"),
        ("\t", "U+0009"),
        ("\u2028", "U+2028"),
        ("\ud800", "U+D800"),
        ("\ue000", "U+E000"),
        ("\u0378", "U+0378"),
        ("\U000e0041", "U+E0041"),
    ],
)
def test_what_nobody_can_read_is_named_with_its_place(sign: str, named: str) -> None:
    fault = find_unreadable(f"La{sign}b")
    assert fault is not None
    assert (named in fault, "character 3" in fault, sign in fault) == (True, True, False)


@pytest.mark.parametrize(
    "name", ["Fооd Administration", "UL Jаpan", "ΤÜV Rheinland", "Intеrtek", "ΙΕC 17025", "Nеmko AS"]
)
def test_a_word_in_two_scripts_is_named(name: str) -> None:
    fault = find_mixed(name)
    assert fault is not None
    assert "looks like" in fault


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Food and Drug Administration", "FOOD AND DRUG ADMINISTRATI0N"),
        ("UL LLC", "UL 11C"),
        ("ТЕСТ", "TECT"),
        ("Nemko", "Nernko"),
        ("Dekra", "Dеkrа"),
    ],
)
def test_names_that_look_alike_have_one_outline(one: str, other: str) -> None:
    assert outline(one) == outline(other)


def test_other_names_have_other_outlines() -> None:
    assert len({outline(name) for name in (*NAMES, "Lab 2", "Lab 3", "Nemko")}) == len(NAMES) + 3


def test_every_text_and_key_of_a_document_is_looked_at() -> None:
    document = {"names": [{"name": "A\u202e"}], "sources": {"a\u200b": {"title": "T\n"}}, "a/b": "Dеkra", "ok": 1}
    assert [pointer for pointer, _, _ in list_lettering(document)] == [
        "/names/0/name",
        "/sources",
        "/sources/a\u200b/title",
        "/a~1b",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "ꓝood Lab",
        "ᖴood Lab",
        "Ꭰrug Lab",
        "Administratꮾon",
        "Adminisτration",
        "Lⲟndon",
    ],
)
def test_a_word_in_two_scripts_is_named_whatever_the_other_script_is(name: str) -> None:
    assert find_mixed(name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "ꓝꓳꓳꓓ ꓡꓮꓐ",
        "Fᴏᴏᴅ Lᴀʙ",
        "Fооd Lаb",
        "Food\u2800 Lab",
        "Food Lab\u17b4",
        "Food\u3164 Lab\ufe0f",
        "Food Lab\U000e0041",
    ],
)
def test_whatever_looks_like_a_name_has_its_outline(name: str) -> None:
    assert outline(name) == outline("Food Lab")


@pytest.mark.parametrize(
    "sign",
    [
        "\u2800",
        "\u17b4",
        "\u17b5",
        "\u3164",
        "\u115f",
        "\u1160",
        "\u034f",
        "\u180b",
        "\ufe0f",
        "\ufe00",
        "\uffa0",
        "\U000e0100",
        "\U0001d173",
    ],
)
def test_a_sign_without_shape_is_refused_whatever_its_class(sign: str) -> None:
    assert "nobody sees" in (find_unreadable(f"La{sign}b") or "")


def test_signs_that_form_mongolian_letters_stay() -> None:
    assert find_unreadable("ᠮᠣᠩᠭᠣᠯ\u180bᠤᠯᠤᠰ") is None
