"""What can go wrong when a country is written."""

from __future__ import annotations

import errno
from datetime import date
from pathlib import Path

from smartgov.shared.problems import Problem
from smartgov.shared.text import Text


def out_of_range(villages: int, most: int) -> Problem:
    """Too few or too many villages."""
    return Problem(
        "villages-out-of-range",
        422,
        what=Text(f"{villages} villages cannot be built.", f"無法建立 {villages} 個村落。"),
        why=Text(f"There are ids for 1 to {most} villages.", f"編號僅足供 1 至 {most} 個村落。"),
        todo=Text(
            f"Give --villages a number from 1 to {most}, and --jobs at least 1.",
            f"請將 --villages 設為 1 至 {most}，--jobs 至少 1。",
        ),
    )


def in_the_way(folder: Path) -> Problem:
    """The folder holds something that is no country."""
    return Problem(
        "country-in-the-way",
        409,
        what=Text(f"{folder} is not empty and holds no country.", f"{folder} 已有其他資料，且不是模擬國家。"),
        why=Text("Nothing is ever overwritten that was not written by this command.", "本指令不覆寫非自己寫出的資料。"),
        todo=Text("Give an empty folder with --out.", "請以 --out 指定空的資料夾。"),
    )


def other_country(folder: Path, seed: str, on: date, new_seed: str, new_on: date) -> Problem:
    """The folder holds a country of another seed or day."""
    return Problem(
        "country-differs",
        409,
        what=Text(f"{folder} holds another country.", f"{folder} 已有另一個模擬國家。"),
        why=Text(
            f"It has seed {seed!r} on {on}; asked for is seed {new_seed!r} on {new_on}.",
            f"其種子為 {seed!r}、基準日 {on}；本次要求種子 {new_seed!r}、基準日 {new_on}。",
        ),
        todo=Text(
            "Repeat that seed and day to go on, or give another folder.", "請沿用原種子與基準日，或指定其他資料夾。"
        ),
    )


def other_versions(folder: Path, there: dict[str, str], here: dict[str, str]) -> Problem:
    """The folder was begun with other library versions, so its bytes would differ."""
    return Problem(
        "country-differs",
        409,
        what=Text(f"{folder} was begun with other versions.", f"{folder} 以其他版本開始建立。"),
        why=Text(f"It says {there}; here is {here}.", f"原為 {there}；目前為 {here}。"),
        todo=Text("Install those versions, or give an empty folder.", "請安裝原版本，或指定空的資料夾。"),
    )


def cannot_write(folder: Path, error: OSError) -> Problem:
    """The disk is full, or does not take what is written."""
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    return Problem(
        "disk-full" if full else "country-not-written",
        507,
        what=Text(
            "The disk is full." if full else f"Nothing can be written to {folder}.",
            "磁碟已滿。" if full else f"無法寫入 {folder}。",
        ),
        why=Text(
            f"{error.strerror or error}. 10,000 people take some 2.3 MB.",
            f"{error.strerror or error}。每萬人約需 2.3 MB。",
        ),
        todo=Text(
            "Make room and repeat the command: finished parts stay.", "清出空間後重下指令即可，已完成的部分會保留。"
        ),
    )


def no_room(folder: Path, needed: int, free: int) -> Problem:
    """The country would not fit on the disk."""
    need, there = f"{needed / 1e9:,.1f} GB", f"{free / 1e9:,.1f} GB"
    return Problem(
        "disk-full",
        507,
        what=Text(f"The country does not fit into {folder}.", f"{folder} 容不下這個國家。"),
        why=Text(f"About {need} are needed and {there} are free.", f"約需 {need}，目前剩 {there}。"),
        todo=Text("Make room, give another folder, or fewer villages.", "請清出空間、改用其他資料夾，或減少村落數。"),
    )


def part_failed(part: int, why: str) -> Problem:
    """A part could not be made."""
    return Problem(
        "part-failed",
        500,
        what=Text(f"Part {part} of the country could not be made.", f"第 {part} 部分建立失敗。"),
        why=Text(why, why),
        todo=Text(
            "Repeat the command: finished parts stay. Report it when it comes again.", "請重下指令；若再發生請回報。"
        ),
    )


def missing_libraries(name: str) -> Problem:
    """The libraries for countries are not installed."""
    return Problem(
        "libraries-missing",
        501,
        what=Text("The libraries for whole countries are not installed.", "未安裝建立整個國家所需的套件。"),
        why=Text(f"Module {name} is missing.", f"缺少模組 {name}。"),
        todo=Text(
            "Run: pip install --require-hashes -r requirements/analysis.txt",
            "請執行：pip install --require-hashes -r requirements/analysis.txt",
        ),
    )
