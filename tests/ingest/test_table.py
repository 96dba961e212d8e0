"""Delimited text in whatever state it is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.ingest.table import numbers, read_table, to_float

GOOD = "epoch,val_loss,r2\n1,0.5,0.1\n2,0.4,0.2\n3,0.3,0.3\n"
ROWS = (("1", "0.5", "0.1"), ("2", "0.4", "0.2"), ("3", "0.3", "0.3"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "run.csv"


def refused(file: Path, content: bytes | str) -> str:
    """The line about a file that cannot be read, without its path."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        read_table(file)
    text = str(caught.value)
    assert text.startswith(f"{file}: ")
    assert "\n" not in text
    return text.removeprefix(f"{file}: ")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD.encode(), id="plain"),
        pytest.param(b"\xef\xbb\xbf" + GOOD.encode(), id="byte order mark"),
        pytest.param(GOOD.encode("utf-16"), id="UTF-16"),
        pytest.param(GOOD.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(GOOD.replace("\n", "\r\r\n").encode(), id="CRCRLF"),
        pytest.param(GOOD.replace("\n", "\r").encode(), id="CR"),
        pytest.param(GOOD.replace(",", ";").encode(), id="semicolons"),
        pytest.param(GOOD.replace(",", "\t").encode(), id="tabs"),
        pytest.param(GOOD.replace(",", "|").encode(), id="bars"),
        pytest.param(GOOD.replace(",", "  ,   ").encode(), id="padded"),
        pytest.param(("\n\n" + GOOD.replace("\n", "\n\n,,\n  \n")).encode(), id="blank rows"),
        pytest.param(GOOD.rstrip("\n").encode(), id="no final line end"),
        pytest.param(GOOD.replace("0.5", '"0.5"').encode(), id="quoted"),
    ],
)
def test_the_same_cells_in_every_dress(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    table = read_table(file)
    assert table.header == ("epoch", "val_loss", "r2")
    assert table.rows == ROWS
    assert table.notes == ()


def test_a_row_knows_its_line(file: Path) -> None:
    file.write_text('epoch,note,r2\n\n1,"two\nlines",0.1\n2,one,x\n')
    table = read_table(file)
    assert table.rows[0][1] == "two\nlines"
    assert table.lines == (4, 5)
    with pytest.raises(InputError, match="'x' in column 'r2', line 5; expected a number"):
        numbers(table, "r2")


@pytest.mark.parametrize(("copies", "said"), [(1, "the header is written once more"), (3, "3 times more")])
def test_a_repeated_header_is_no_row_and_is_noted(file: Path, copies: int, said: str) -> None:
    file.write_text(GOOD + "".join(f"epoch,val_loss,r2\n{i + 4},0.2,0.4\n" for i in range(copies)))
    table = read_table(file)
    assert len(table.rows) == 3 + copies
    assert [n.code for n in table.notes] == ["log.restarts"]
    assert said in table.notes[0].message


@pytest.mark.parametrize(
    "tail",
    ["4,0.2", "4,0.2\n", "4", "4,0.2,0", "4,0.2,0.", "4,0.2,-", "4,0.2,", '4,0.2,"0.4'],
    ids=[
        "short",
        "short with line end",
        "one cell",
        "cut number",
        "cut at the point",
        "cut sign",
        "cut empty",
        "quote",
    ],
)
def test_a_last_line_cut_off_is_left_out_and_said(file: Path, tail: str) -> None:
    file.write_text(GOOD + tail)
    table = read_table(file)
    assert table.rows == ROWS
    assert [n.code for n in table.notes] == ["log.truncated"]
    assert "line 5" in table.notes[0].message


def test_a_whole_last_line_without_line_end_is_kept(file: Path) -> None:
    file.write_text(GOOD + "4,0.2,0.4")
    table = read_table(file)
    assert table.rows[-1] == ("4", "0.2", "0.4")
    assert table.notes == ()


def test_an_open_quote_does_not_swallow_the_rest(file: Path) -> None:
    said = refused(file, 'epoch,val_loss,note\n1,0.5,a\n2,0.4,"b\n3,0.3,c\n4,0.2,d\n')
    assert said.startswith("a quote opened on line 3")
    assert "never closed" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file; expected a header line"),
        (b" \n\t\n", "an empty file; expected a header line"),
        (b"\xef\xbb\xbf", "an empty file; expected a header line"),
        (b"\xff\xfe", "an empty file; expected a header line"),
        (b",,,\n,,\n", "an empty file; expected a header line"),
        (b"epoch,val_loss\n", "only a header; expected at least one row"),
        (b"epoch,val_loss\n1", "only a header and an unfinished line"),
        (b"epoch,val_loss,val_loss\n1,2,3\n", "two columns named 'val_loss'; expected each name once"),
        (b"epoch,val_loss,,\n1,2,,\n", "two columns without a name"),
        (b"epoch,val_loss\n1,2\n2,3,4\n3,4\n", "3 cells on line 3; expected 2 as in the header"),
        (b"epoch,val_loss\n1,2\n2\n3,4\n", "1 cells on line 3; expected 2 as in the header"),
        (b"epoch,val_loss\n1,2,3\n", "3 cells on line 2; expected 2 as in the header"),
        (b"epoch,val_loss\n1,\x00\n", "binary data"),
        (b"epoch,val_loss\n" + b"1,2\n" * 5000 + b"1,\x00\n", "binary data"),
        (GOOD.encode("utf-32"), "binary data"),
        (GOOD.encode("utf-16-le"), "binary data"),
        (b"epoch,val_loss\n1,\xff\n", "bytes that are not UTF-8 at 17"),
        (GOOD.encode("utf-16") + b"1", "bytes that are not UTF-16"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a Git LFS pointer"),
        (b"epoch,note\n1," + b"x" * 200_000 + b"\n", "line 2 cannot be split into cells"),
        (b'epoch,note\n1,"' + b"x" * 200_000 + b'"\n', "line 2 cannot be split into cells"),
        (b'epoch,note\n1,"a"b\n2,c\n', "line 2 cannot be split into cells"),
    ],
)
def test_what_cannot_be_read_is_one_line(file: Path, content: bytes, said: str) -> None:
    assert refused(file, content).startswith(said)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="a folder; expected a file"):
        read_table(tmp_path)


def test_cells_that_are_numbers_and_cells_that_are_not_there(file: Path) -> None:
    file.write_text("a,b\n1,nan\n2,NaN\n3,inf\n4,-Infinity\n5,NA\n6,None\n7,null\n8,\n9,1e-3\n10,--\n")
    values = numbers(read_table(file), "b")
    assert [repr(v) for v in values] == ["nan", "nan", "inf", "-inf", "None", "None", "None", "None", "0.001", "None"]


@pytest.mark.parametrize("cell", ["abc", "tensor(0.5)", "[0.001]", "1_000", "0.5 km", "0x1f", "1,5", "True"])
def test_text_is_no_number(file: Path, cell: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_float(cell)
    file.write_text(f'a,b\n1,"{cell}"\n')
    with pytest.raises(InputError, match="in column 'b', line 2; expected a number"):
        numbers(read_table(file), "b")


def test_control_characters_do_not_reach_the_message(file: Path) -> None:
    file.write_text('a,b\n1,"\x1b[31mred\n"\n')
    with pytest.raises(InputError) as caught:
        numbers(read_table(file), "b")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("last", ["0.25", "0.3", "7", "1e-05"])
def test_a_whole_last_row_is_kept_where_the_others_differ_in_length_too(file: Path, last: str) -> None:
    file.write_text(f"epoch,r2\n1,0.125\n2,0.25\n3,0.12345\n4,{last}")
    assert read_table(file).rows[-1] == ("4", last)


@pytest.mark.parametrize("last", ["0.12", "0", "0.", "1e-"])
def test_a_last_row_with_fewer_decimals_than_all_others_is_cut_off(file: Path, last: str) -> None:
    file.write_text(f"epoch,r2\n1,0.125\n2,0.250\n3,0.123\n4,{last}")
    table = read_table(file)
    assert len(table.rows) == 3
    assert [note.code for note in table.notes] == ["log.truncated"]
