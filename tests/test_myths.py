"""Claims that circulate: all are listed, and those that code can decide come out as corrected."""

import pytest

from lightcourse.errors import UserError
from lightcourse.myths import list_myths, myth

DECIDED = [m.id for m in list_myths() if m.decided_by_code]

# words that the demonstration must have computed, besides its own verdict
FOUND = {
    "myth_02": "193 … 224, 32 of them",
    "myth_04": "2,782,480,896",
    "myth_06": "24, 431",
    "myth_11": "3.9",
    "myth_23": "129.4 M of 149.5 M",
    "myth_25": "2.35",
    "myth_07": "243.9 MB",
    "myth_26": "48.8",
    "myth_30": "10,328",
    "myth_32": "0.1423",
    "myth_33": "60,211,200",
    "myth_34": "[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]",
    "myth_35": "1,157,728",
    "myth_39": "8.56×, 6.92×",
    "myth_46": "6,998,552",
    "myth_53": "3,969",
}


def test_all_claims_are_listed_once() -> None:
    assert [m.id for m in list_myths()] == [f"myth_{n:02d}" for n in range(1, 54)]
    assert len(DECIDED) >= 34
    assert all(m.claim and m.zh and m.right and m.evidence for m in list_myths())
    assert {m.verdict for m in list_myths()} == {"true", "half true", "false", "mix-up", "opinion"}


@pytest.mark.parametrize("id", DECIDED)
def test_the_correction_holds(id: str) -> None:
    found = myth(id).demonstrate()
    assert found.holds, str(found)
    assert FOUND.get(id, "") in str(found)


def test_a_demonstration_can_fail(monkeypatch) -> None:
    from lightcourse.myths import _pictures

    monkeypatch.setattr(_pictures, "_last_side", lambda side: side // 32)
    assert not myth("myth_02").demonstrate().holds


def test_by_chapter_as_number_or_name() -> None:
    assert [m.id for m in list_myths(13)] == [m.id for m in list_myths("13")] == ["myth_34"]
    assert {m.id for m in list_myths("01")} == {"myth_49", "myth_51"}


def test_prints_and_escapes() -> None:
    box = myth("myth_44")._repr_html_()
    assert "0&lt;r&lt;1" in box and "Myth or fact?" in box
    assert "→" in str(myth("myth_34"))
    assert "<td>paper, C = 12, g = 3</td>" in myth("myth_34").demonstrate()._repr_html_()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: myth("myth_99"), "'myth_01' to 'myth_53'"),
        (lambda: list_myths(99), "chapters are 0 to 23"),
        (lambda: myth("myth_14").demonstrate(), "No code decides myth_14"),
    ],
)
def test_mistakes_get_one_sentence(act, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        act()
    assert "\n" not in str(caught.value)
