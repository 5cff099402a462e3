"""Figures with their bounds, and how they are shown: one table, one verdict a line."""

import datetime
import os
import platform
import re
import statistics
import subprocess


class Figure:
    """One line of the table: five values, the bound that their median is held against (None: told for context)."""

    def __init__(self, what, values, bound=None, at_least=False, unit="", context=""):
        self.what, self.values, self.bound, self.at_least = what, values, bound, at_least
        self.unit, self.context = unit, context
        self.median = statistics.median(values) if values else None

    def passes(self):
        if self.bound is None:
            return True
        if self.median is None:
            return False
        return self.median >= self.bound if self.at_least else self.median <= self.bound

    def number(self, value):
        if self.unit:
            return f"{value:.3g} {self.unit}" if value < 100 else f"{value:.0f} {self.unit}"
        return f"{value:.2f}"

    def row(self):
        if self.median is None:
            measured = "not measured"
        elif len(self.values) == 1:
            measured = self.number(self.median)
        else:
            measured = f"{self.number(self.median)} ({self.number(min(self.values))} to {self.number(max(self.values))})"
        bound, verdict = "", ""
        if self.bound is not None:
            bound = f"at {'least' if self.at_least else 'most'} {self.bound:g}{' ' + self.unit if self.unit else ''}"
            verdict = "PASS" if self.passes() else "FAIL"
        return [self.what, measured, bound, verdict, self.context]


def ratios(ours, theirs):
    """Round by round, because the rounds alternate: what slows the machine down slows both."""
    return [a / b for a, b in zip(ours, theirs)]


def middle(values, unit):
    return f"{statistics.median(values):.4g} {unit}" if values else "-"


def first_line(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "?"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        found = re.search(r"^model name\s*:\s*(.*)$", info.read(), re.M)
        model = found.group(1) if found else model
    wrk = re.search(r"wrk \S+", first_line(["wrk", "-v"]))
    return (f"{datetime.date.today()}, {os.cpu_count()} cores ({model}), Linux {platform.release()}; "
            f"{first_line(['go', 'version'])}, {first_line(['nginx', '-v'])}, {wrk.group(0) if wrk else 'wrk'}")


def markdown(figures, rounds):
    lines = [f"Measured {machine()}.", "",
             f"| what | median (min to max) of {rounds} | bound | | context |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(figure.row()) + " |" for figure in figures]
    return "\n".join(lines) + "\n"


def write_between_marks(path, text):
    begin, end = "<!-- figures: written by tests/bench/run --write -->\n", "<!-- end of figures -->\n"
    with open(path, encoding="utf-8") as page:
        old = page.read()
    head, _, rest = old.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"{path}: the marks of the figures are gone")
    with open(path, "w", encoding="utf-8") as page:
        page.write(head + begin + text + end + tail)


def verdict(figures):
    """The last lines that a person reads; False when a bound is broken."""
    bound = [figure for figure in figures if figure.bound is not None]
    print()
    for figure in bound:
        what, measured, limit, word, _ = figure.row()
        print(f"{word}  {what}: {measured}, {limit}")
    failed = sum(not figure.passes() for figure in bound)
    print(f"\n{len(bound) - failed} bounds kept, {failed} broken")
    return failed == 0
