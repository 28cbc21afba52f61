import pytest

from napari_cryoml._errors import InputError
from napari_cryoml.cli._lengths import parse_length


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("108", 108),
        (" 10.5 ", 10.5),
        ("1e2", 100),
        ("180A", 120),
        ("180a", 120),
        ("1.5 A", 1),
        ("18nm", 120),
        ("3 NM", 20),
    ],
)
def test_pixels_and_angstrom(text: str, pixels: float) -> None:
    assert parse_length(text, 1.5, "--diameter") == pytest.approx(pixels)


@pytest.mark.parametrize("text", ["", "A", "ten", "-3", "0", "0A", "nan", "inf", "18um", "3AA"])
def test_what_is_no_length_is_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"--radius takes a length above 0 .* was given\."):
        parse_length(text, 1.5, "--radius")


@pytest.mark.parametrize("pixel_size", [None, 0])
def test_angstrom_need_a_pixel_size(pixel_size: float | None) -> None:
    assert parse_length("20", pixel_size, "--diameter") == 20
    with pytest.raises(InputError, match=r"do not say one pixel size: .*--pixel-size"):
        parse_length("20A", pixel_size, "--diameter")
