#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""latency.py SLOTS NAME: plots the calls of an open loop while what they call is replaced.

SLOTS has lines "slot KIND MS COUNT P50 P99 P999 MAX ENDED", in microseconds. The plot goes to NAME.svg;
the longest call of each slot is drawn on the console, too.
"""

import pathlib
import subprocess
import sys

TITLES = {"disk": "the disk: an update", "forks": "forks: an update of all processes",
          "molt": "an update", "rwsem": "an rwsem around each call",
          "restart": "module removed and inserted"}
CURVES = ((2, "p50"), (3, "p99"), (4, "p99.9"), (5, "max"))
FIRST_MS, LAST_MS = 900, 1200
AXES = ("set logscale y", "set yrange [1:1000000]", "set grid", "set format y '10^{%T}'",
        "set xlabel 'milliseconds'", "set ylabel 'length of a call, us'")


def read(path):
    """The slots around the replacement as gnuplot wants them, by kind, in the order of the titles."""
    words = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
    slots = {kind: [] for kind in TITLES}
    for word in words:
        if word[0] == "slot" and word[1] in slots and FIRST_MS <= int(word[2]) <= LAST_MS:
            slots[word[1]].append(" ".join((word[2], *(str(max(1, int(us))) for us in word[4:8]))))
    return {kind: points for kind, points in slots.items() if points}


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
    return "\n".join((*blocks(slots), "set terminal dumb size 100,28 ascii", *AXES,
                      "set format y '%.0f'", "unset grid", "set key outside top center",
                      "set title 'the longest call of each 10 ms'", "plot " + curves, ""))


def main():
    slots, name = read(pathlib.Path(sys.argv[1])), sys.argv[2]
    if not slots:
        print("nothing was measured")
        return 1
    subprocess.run(["gnuplot"], check=True, text=True,
                   input=f"set output '{name}.svg'\n{script(slots)}")
    subprocess.run(["gnuplot"], check=True, text=True, input=console(slots))
    return 0


if __name__ == "__main__":
    sys.exit(main())
