# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, as tables: medians and spreads, and flightstrip's ratios beside its aims."""

import statistics


class Figure:
    """A column: what is told of a measurement, how, and whether more of it is better."""

    def __init__(self, title, value, form, more_is_better=True):
        self.title, self.value, self.form = title, value, form
        self.more_is_better = more_is_better

    def of(self, samples):
        values = [self.value(sample) for sample in samples]
        values = [value for value in values if value is not None]
        if not values:
            return None, 0
        median = statistics.median(values)
        return median, (max(values) - min(values)) / 2 / median if median else 0

    def cell(self, samples):
        median, spread = self.of(samples)
        if median is None:
            return ""
        return f"{median:{self.form}}" + (f" ±{100 * spread:3.0f} %" if len(samples) > 1 else "")


def rate(unit):
    return lambda s: s[unit] / s["cpu_s"] if s.get("cpu_s") else None


def per_second(unit):
    return lambda s: s[unit] / max(s["took_us"], 1) * 1e6


FAILED = Figure("failed", lambda s: s["failed"] + s["unfinished"], ",.0f", False)
RECORDS = Figure("records each", lambda s: s["records"], ".3f")
P50 = Figure("p50 ms", lambda s: s["p50_us"] / 1000, ".2f", False)
P99 = Figure("p99 ms", lambda s: s["p99_us"] / 1000, ".2f", False)
MEMORY = Figure("memory MB", lambda s: s["memory"] / 1e6 if "memory" in s else None, ",.1f", False)

GIGABYTES = (
    Figure("GB/CPU-s", lambda s: s["bytes"] / s["cpu_s"] / 1e9 if s.get("cpu_s") else None, ".2f"),
    Figure("GB/s", lambda s: s["bytes"] / max(s["took_us"], 1) / 1e3, ".2f"), MEMORY, RECORDS)

# The first figure of a mode is the one that its proxies are put in order by.
TABLES = {
    "get": ("GET in absolute form, 64 connections that are kept, 1 KiB",
            (Figure("requests/CPU-s", rate("done"), ",.0f"),
             Figure("requests/s", per_second("done"), ",.0f"), P50, P99, MEMORY, FAILED, RECORDS)),
    "connect": ("CONNECT, 4 bytes each way, close; 64 at once",
                (Figure("tunnels/CPU-s", rate("done"), ",.0f"),
                 Figure("tunnels/s", per_second("done"), ",.0f"), P50, P99, MEMORY, FAILED,
                 RECORDS)),
    "down": ("8 tunnels at once, bulk down", GIGABYTES),
    "up": ("8 tunnels at once, bulk up", GIGABYTES),
    "idle": ("Tunnels in which nothing moves",
             (Figure("bytes each", lambda s: s["memory"], ",.0f", False),
              Figure("files each", lambda s: s["files"], ".2f", False),
              Figure("CPU %", lambda s: s["cpu_percent"], ".2f", False),
              Figure("held", lambda s: s["done"], ",.0f"), FAILED, RECORDS)),
}


def beats_best(figure, times=1.0):
    return lambda own, peers, _: ratio_aim(figure, own, peers, times)


def ratio_aim(figure, own, peers, times):
    """Our figure over the best peer's; the other way round where less is better."""
    best_of = max if figure.more_is_better else min
    measured = {name: figure.of(samples)[0] for name, samples in peers.items()}
    measured = {name: value for name, value in measured.items() if value}
    value = figure.of(own)[0]
    if not measured or not value:
        return None
    best = best_of(measured, key=measured.get)
    ratio = value / measured[best] if figure.more_is_better else measured[best] / value
    return (f"{figure.title}: {ratio:.2f} x the best peer, {best}; aim {times:.2f}", ratio >= times)


def nears_floor(figure, share):
    def aim(own, _, floor):
        if not floor or not figure.of(own)[0]:
            return None
        ratio = figure.of(own)[0] / figure.of(floor)[0]
        return f"{figure.title}: {ratio:.2f} x the bare relay; aim {share:.2f}", ratio >= share
    return aim


def at_most(figure, most):
    def aim(own, *_):
        value = figure.of(own)[0]
        return f"{figure.title}: {value:{figure.form}}; aim at most {most}", value <= most
    return aim


def all_recorded(own, *_):
    value = min(sample["records"] for sample in own)
    return f"records each: {value:.5f}; aim 1", value >= 1


def aims_of(name):
    figures = TABLES[name][1]
    if name == "get":
        return (beats_best(figures[0], 1.2), beats_best(P99), all_recorded)
    if name == "connect":
        return (beats_best(figures[0], 1.2), all_recorded)
    if name == "idle":
        return (beats_best(figures[0]), at_most(figures[0], 1500), at_most(figures[1], 2),
                at_most(figures[2], 0.5), all_recorded)
    return (beats_best(figures[0], 1.2), nears_floor(figures[0], 0.85), all_recorded)


def in_order(figure, samples_of):
    def key(name):
        median = figure.of(samples_of[name])[0]
        if median is None:
            return float("inf")
        return -median if figure.more_is_better else median
    return sorted(samples_of, key=key)


def print_table(name, samples_of, trouble):
    title, figures = TABLES[name]
    print(f"\n{title}")
    print(f"  {'':<16}" + "".join(f"{figure.title:>18}" for figure in figures))
    for proxy in in_order(figures[0], samples_of):
        cells = "".join(f"{figure.cell(samples_of[proxy]):>18}" for figure in figures)
        print(f"  {proxy:<16}{cells}")
    for proxy, text in trouble.items():
        print(f"  {proxy:<16}  {text}")


def print_aims(name, samples_of, peer_names):
    own = samples_of.get("flightstrip")
    peers = {peer: samples_of[peer] for peer in peer_names if peer in samples_of}
    if not own:
        return
    for aim in aims_of(name):
        said = aim(own, peers, samples_of.get("bare relay"))
        if said:
            print(f"    {'reached    ' if said[1] else 'not reached'}  {said[0]}")
