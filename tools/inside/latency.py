#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""latency.py FILE NAME: the calls of an open loop while what they call is replaced.

FILE has lines "slot KIND MS COUNT P50 P99 P999 MAX ENDED", in microseconds, and "result
latency.KIND.failures N ...". Prints a table, draws the longest calls in characters, and plots all into
NAME.svg. The exit status is 0 only if no call failed in an update, and the longest one over an
update was shorter than with an rwsem.
"""

import pathlib
import subprocess
import sys

TITLES = {"disk": "the disk: an update", "forks": "forks: an update of all processes",
          "molt": "an update", "rwsem": "an rwsem around each call",
          "restart": "module removed and inserted"}
DESIGNS = ("molt", "rwsem", "restart")
PARTS = (("before", 0, 990), ("during", 1000, 1290), ("after", 1300, 10000))
CURVES = ((2, "p50"), (3, "p99"), (4, "p99.9"), (5, "max"))
FIRST_MS, LAST_MS = 900, 1200
AXES = ("set logscale y", "set yrange [1:1000000]", "set grid", "set format y '10^{%T}'",
        "set xlabel 'milliseconds'", "set ylabel 'length of a call, us'")


def words(path):
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def read(path):
    """The slots around the replacement as gnuplot wants them, by kind, in the order of the titles."""
    slots = {kind: [] for kind in TITLES}
    for word in words(path):
        if word[:1] == ["slot"] and word[1] in slots and FIRST_MS <= int(word[2]) <= LAST_MS:
            slots[word[1]].append(" ".join((word[2], *(str(max(1, int(us))) for us in word[4:8]))))
    return {kind: points for kind, points in slots.items() if points}


def failures(path, kind):
    return next((int(word[2]) for word in words(path)
                 if word[:2] == ["result", f"latency.{kind}.failures"]), None)


def label(kind):
    return ("a device: " if kind in DESIGNS else "") + TITLES[kind]


def worst(path, kind, first, last):
    """The largest of each percentile in the slots of this time."""
    return [max(column) for column in zip(*(
        map(int, word[4:8]) for word in words(path)
        if word[:2] == ["slot", kind] and first <= int(word[2]) <= last))]


def table(path, slots):
    yield f"    {'worst 10 ms, in us':36} {'':7}{'p50':>8}{'p99':>8}{'p99.9':>8}{'max':>8}{'failed':>8}"
    for kind in slots:
        title, failed = label(kind), failures(path, kind)
        for part, first, last in PARTS:
            figures = "".join(f"{us:8}" for us in worst(path, kind, first, last))
            yield f"    {title:36} {part:7}{figures}{failed if part == 'during' else '':>8}"
            title = ""


def claims(path, slots):
    """What has to hold."""
    for kind in slots:
        if kind not in ("rwsem", "restart"):
            failed = failures(path, kind)
            yield f"{label(kind)}: failed calls", "0", str(failed), failed == 0
    update, locked = (worst(path, kind, 1000, 1290)[3] for kind in ("molt", "rwsem"))
    yield "longest call over an update, of a device", f"less than {locked} us", f"{update} us", update < locked


def blocks(slots):
    return [line for kind, points in slots.items() for line in (f"${kind} << END", *points, "END")]


def script(slots):
    """Orders for a plot of all percentiles, one kind below the other; to be told the output."""
    orders = []
    for kind in slots:
        curves = ", ".join(f"${kind} using 1:{column} with lines linewidth 1.5 title '{label}'"
                           for column, label in CURVES)
        orders += [f"set title '{TITLES[kind]}'", "plot " + curves]
    return "\n".join((
        *blocks(slots),
        f"set terminal svg size 720,{300 * len(slots)} font 'sans-serif,12' background rgb 'white'",
        f"set multiplot layout {len(slots)},1", *AXES, "set key right top", *orders,
        "unset multiplot", ""))


def console(slots):
    """The longest calls of each kind, in characters."""
    curves = ", ".join(f"${kind} using 1:5 with points title '{TITLES[kind]}'" for kind in slots)
    return "\n".join((*blocks(slots), "set terminal dumb 100 28", *AXES,
                      "set format y '%.0f'", "unset grid", "set key outside top center",
                      "set title 'the longest call of each 10 ms'", "plot " + curves, ""))


def main():
    path, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    slots = read(path)
    if not set(DESIGNS) <= set(slots):
        print("not all was measured")
        return 1
    print("\n".join(("", *table(path, slots), "")), flush=True)
    subprocess.run(["gnuplot"], check=True, text=True,
                   input=f"set output '{name}.svg'\n{script(slots)}")
    subprocess.run(["gnuplot"], check=True, text=True, input=console(slots))
    held = list(claims(path, slots))
    for claim, expected, seen, holds in held:
        print(f"  {claim:42} {expected:22} {seen:22} {'ok' if holds else 'FAILED'}")
    return 0 if all(holds for *_, holds in held) else 1


if __name__ == "__main__":
    sys.exit(main())
