"""Makes the problems that `tests/agrees.rs` holds our solvers to, and what HiGHS says of each.

HiGHS is a solver of its own, written by others in another language. Each problem is drawn from a seed, set up here in the
plainest way there is (for placement: one whole number for every class, row, feed and pair of loops, each row by itself),
solved by HiGHS to its tightest tolerances, and written with the objective found. The test reads the file and needs no
Python. `make oracle` makes it anew.

    problems.py FILE
"""

import json
import random
import sys

import highspy


# Share by which an optimum of whole numbers may be missed; the test allows as much on our side.
GAP = 1e-6
# Problems of whole numbers that HiGHS does not close in so many seconds are left out.
SECONDS = 4.0


class Model:
    """Rows and columns for HiGHS."""

    def __init__(self):
        self.h = highspy.Highs()
        self.h.silent()
        self.h.setOptionValue("mip_rel_gap", GAP)
        self.h.setOptionValue("time_limit", SECONDS)
        self.h.setOptionValue("mip_abs_gap", 1e-7)
        self.h.setOptionValue("primal_feasibility_tolerance", 1e-9)
        self.h.setOptionValue("dual_feasibility_tolerance", 1e-9)
        self.h.setOptionValue("threads", 1)
        self.columns = 0

    def column(self, cost=0.0, low=0.0, high=highspy.kHighsInf, whole=False):
        self.h.addCol(cost, low, high, 0, [], [])
        if whole:
            self.h.changeColIntegrality(self.columns, highspy.HighsVarType.kInteger)
        self.columns += 1
        return self.columns - 1

    def row(self, low, high, terms):
        summed = {}
        for at, value in terms:
            summed[at] = summed.get(at, 0.0) + value
        self.h.addRow(low, high, len(summed), list(summed), list(summed.values()))

    def solve(self):
        self.h.run()
        status = self.h.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        if status == highspy.HighsModelStatus.kTimeLimit:
            raise TimeoutError
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {status}")
        return self.h.getInfo().objective_function_value

    def values(self):
        return list(self.h.getSolution().col_value)


INF = highspy.kHighsInf
LIQUID_NEEDED = 0.05


def placement(seed):
    """Racks, rows, feeds and loops of shapes that differ with the seed."""
    r = random.Random(seed)
    feeds, loops, above = r.randint(1, 4), r.randint(2, 4), r.randint(0, 2)
    mixed = seed % 4 == 3
    classes = []
    for c in range(r.randint(1, 4)):
        kw = round(r.uniform(12, 150), r.choice([0, 1, 2]))
        share = r.choice([0.0, 0.03, 0.5, 0.8, 0.87])
        most = r.randint(2, 14)
        classes.append(
            {
                "name": f"c{c}",
                "least": 0,
                "most": most,
                "kw": kw,
                "liquid_kw": round(kw * share, 3),
                "air_kw": round(kw - round(kw * share, 3), 3),
                "positions": r.randint(1, 3) if mixed else (2 if seed % 9 == 5 else 1),
            }
        )
    liquid = list(range(loops // 2))
    air = list(range(loops // 2, loops))
    rows = []
    for n in range(r.randint(1, 3)):
        some = lambda many: sorted(r.sample(many, r.randint(1, len(many))))
        rows.append(
            {
                "name": f"r{n}",
                "count": r.randint(1, 3),
                "positions": r.randint(2, 8),
                "feeds": some(list(range(feeds))),
                "liquids": some(liquid) if r.random() < 0.85 else [],
                "airs": some(air),
            }
        )
    all_kw = sum(c["kw"] * c["most"] for c in classes)
    feed_list = [
        {
            "name": f"f{n}",
            "kw": round(all_kw * r.uniform(0.15, 0.6), 1),
            "above": sorted(r.sample(range(above), r.randint(0, above))),
        }
        for n in range(feeds)
    ]
    limit = lambda name, low, high: {"name": name, "kw": round(all_kw * r.uniform(low, high), 1)}
    problem = {
        "classes": classes,
        "rows": rows,
        "feeds": feed_list,
        "above": [limit(f"a{n}", 0.3, 1.0) for n in range(above)],
        "loops": [limit(f"l{n}", 0.1, 0.7) for n in range(loops)],
        "drawn": [],
    }
    problem["drawn"] = drawn(problem, r)
    return problem


def spots(problem, c, row):
    """Feeds and loops that a class could have in a row, each with what its heat asks of them."""
    own, at = problem["classes"][c], problem["rows"][row]
    if not at["liquids"] and own["liquid_kw"] > LIQUID_NEEDED * (own["liquid_kw"] + own["air_kw"]):
        return
    for f in at["feeds"]:
        for l in at["liquids"] or [None]:
            for a in at["airs"]:
                heat = {}
                liquid_kw = own["liquid_kw"] if l is not None else 0.0
                if l is not None:
                    heat[l] = heat.get(l, 0.0) + liquid_kw
                heat[a] = heat.get(a, 0.0) + own["liquid_kw"] + own["air_kw"] - liquid_kw
                yield f, l, a, heat


def drawn(problem, r):
    """Racks as someone may have drawn them: at random, each row within its positions."""
    left = [c["most"] for c in problem["classes"]]
    found = {}
    for n, row in enumerate(problem["rows"]):
        for _ in range(row["count"]):
            free = row["positions"]
            for _ in range(r.randint(0, row["positions"])):
                c = r.randrange(len(left))
                choices = list(spots(problem, c, n))
                width = problem["classes"][c]["positions"]
                if left[c] and choices and width <= free:
                    f, l, a, _ = choices[0] if r.random() < 0.7 else r.choice(choices)
                    found[c, n, f, l, a] = found.get((c, n, f, l, a), 0) + 1
                    left[c] -= 1
                    free -= width
    keys = ["class", "row", "feed", "liquid", "air"]
    return [dict(zip(keys, k), count=v) for k, v in sorted(found.items(), key=str)]


def placed(problem, power=None):
    """Most power; or, with that power held, most drawn racks that stay."""
    m = Model()
    classes, rows = problem["classes"], problem["rows"]
    racks, by_class, by_feed, by_above, by_loop, by_bin, by_spot = [], {}, {}, {}, {}, {}, {}
    sign = -1.0 if power is None else 0.0
    for c, own in enumerate(classes):
        for n, row in enumerate(rows):
            for f, l, a, heat in spots(problem, c, n):
                for copy in range(row["count"]):
                    x = m.column(cost=sign * own["kw"], high=own["most"], whole=True)
                    racks.append((x, own["kw"]))
                    by_class.setdefault(c, []).append((x, 1.0))
                    by_feed.setdefault(f, []).append((x, own["kw"]))
                    for up in problem["feeds"][f]["above"]:
                        by_above.setdefault(up, []).append((x, own["kw"]))
                    for at, kw in heat.items():
                        by_loop.setdefault(at, []).append((x, kw))
                    by_bin.setdefault((n, copy), []).append((x, own["positions"]))
                    by_spot.setdefault((c, n, f, l, a), []).append((x, 1.0))
    for c, terms in by_class.items():
        m.row(classes[c]["least"], classes[c]["most"], terms)
    for f, terms in by_feed.items():
        m.row(-INF, problem["feeds"][f]["kw"], terms)
    for up, terms in by_above.items():
        m.row(-INF, problem["above"][up]["kw"], terms)
    for at, terms in by_loop.items():
        m.row(-INF, problem["loops"][at]["kw"], terms)
    for (n, _), terms in by_bin.items():
        m.row(-INF, rows[n]["positions"], terms)
    if power is not None:
        m.row(power - 1e-4, INF, racks)
        for own in problem["drawn"]:
            k = m.column(cost=-1.0, high=own["count"], whole=True)
            terms = by_spot.get(tuple(own[key] for key in ["class", "row", "feed", "liquid", "air"]), [])
            m.row(-INF, 0.0, [(k, 1.0)] + [(x, -1.0) for x, _ in terms])
    found = m.solve() if m.columns else 0.0
    return None if found is None else -found


def placements():
    cases = []
    seed = 0
    while len(cases) < 48:
        problem = placement(seed)
        seed += 1
        try:
            kw = placed(problem)
            stay = placed(problem, kw)
        except TimeoutError:
            continue
        all_drawn = sum(own["count"] for own in problem["drawn"])
        cases.append({"problem": problem, "kw": kw, "moved": round(all_drawn - stay)})
    return cases


def year(r, steps):
    """Load and prices in the shape of days, with noise."""
    import math

    load = [round(r.uniform(2, 4) + 3 * math.sin(t / 24 * 6.283) ** 2 + r.uniform(0, 1), 2) for t in range(steps)]
    price = [round(55 + 35 * math.sin((t - 8) / 24 * 6.283) + r.gauss(0, 15), 2) for t in range(steps)]
    return load, price


def battery(seed):
    """A battery of given size under prices and a demand charge: as `dispatch` has it."""
    r = random.Random(1000 + seed)
    steps = r.choice([48, 72, 96])
    load, price = year(r, steps)
    case = {
        "load_mw": load,
        "price": price,
        "step_h": r.choice([0.5, 1.0]),
        "demand": round(r.uniform(0, 15), 2),
        "contract_mw": r.choice([9.0, 12.0]),
        "months": [0] if r.random() < 0.5 else [0, steps // 2],
        "battery": {
            "energy_mwh": round(r.uniform(1, 12), 2),
            "power_mw": round(r.uniform(0.5, 4), 2),
            "round_trip": round(r.uniform(0.7, 1.0), 3),
            "start": round(r.uniform(0, 1), 2),
        },
    }
    case["usd"] = dispatched(case)
    return case


def dispatched(case):
    m = Model()
    b, h = case["battery"], case["step_h"]
    one_way = b["round_trip"] ** 0.5
    steps = len(case["load_mw"])
    peaks = [m.column(cost=case["demand"] * 1e3, high=case["contract_mw"]) for _ in case["months"]]
    before = None
    month = 0
    for t in range(steps):
        if month + 1 < len(case["months"]) and t == case["months"][month + 1]:
            month += 1
        grid = m.column(cost=case["price"][t] * h)
        into, out = m.column(high=b["power_mw"]), m.column(high=b["power_mw"])
        last = t == steps - 1
        stored = m.column(low=b["start"] * b["energy_mwh"] if last else 0.0, high=b["energy_mwh"])
        m.row(case["load_mw"][t], case["load_mw"][t], [(grid, 1), (into, -1), (out, 1)])
        m.row(-INF, 0.0, [(grid, 1), (peaks[month], -1)])
        kept = [(stored, 1), (into, -one_way * h), (out, h / one_way)]
        start = b["start"] * b["energy_mwh"] if before is None else 0.0
        m.row(start, start, kept + ([(before, -1)] if before is not None else []))
        before = stored
    return m.solve()


def sizing(seed):
    """What to build and how to run it: as `sizing` has it."""
    r = random.Random(2000 + seed)
    import math

    steps = r.choice([48, 96, 120])
    load, price = year(r, steps)
    part = steps / 8760.0
    chosen = lambda low, high, most: {"chosen": {"usd_per_mw_year": round(r.uniform(low, high) * part, 2), "most": most}}
    given = lambda value: {"given": value}
    sun = [round(max(0.0, math.sin((t % 24 - 6) / 12 * 3.1416)) * r.uniform(0.5, 1.0), 3) for t in range(steps)]
    some = lambda value: value if r.random() < 0.75 else None
    case = {
        "load_mw": load,
        "grid": {
            "price_usd_per_mwh": price,
            "contract_mw": r.choice([6.0, 9.0, 14.0]),
            "demand_usd_per_kw_month": round(r.uniform(0, 12), 2),
            "carbon_g_per_kwh": [round(r.uniform(200, 500), 0) for _ in range(steps)],
            "months": [0] if r.random() < 0.5 else [0, steps // 3],
        },
        "solar": some(
            {"capacity": r.choice([chosen(40e3, 120e3, 30.0), given(3.0)]), "yield_mw_per_mw": sun}
        ),
        "gas": {
            "capacity": r.choice([chosen(30e3, 120e3, 20.0), given(8.0)]),
            "fuel_usd_per_mwh": round(r.uniform(30, 90), 2),
            "carbon_kg_per_mwh": 450.0,
        },
        "battery": some(
            {
                "energy": r.choice([chosen(10e3, 40e3, 40.0), given(6.0)]),
                "power": r.choice([chosen(10e3, 50e3, 15.0), given(3.0)]),
                "round_trip": round(r.uniform(0.75, 0.95), 3),
            }
        ),
        "shift": round(r.choice([0.0, 0.0, 0.1, 0.3]), 2),
        "carbon_usd_per_t": r.choice([0.0, 0.0, 80.0]),
    }
    case["usd"] = sized(case)
    return case


def capacity(m, of):
    if "given" in of:
        return m.column(low=of["given"], high=of["given"])
    return m.column(cost=of["chosen"]["usd_per_mw_year"], high=of["chosen"]["most"])


def sized(case):
    m = Model()
    grid, load = case["grid"], case["load_mw"]
    steps = len(load)
    tonne = case["carbon_usd_per_t"]
    peaks = [m.column(cost=grid["demand_usd_per_kw_month"] * 1e3, high=grid["contract_mw"]) for _ in grid["months"]]
    solar, gas, b, shift = case["solar"], case["gas"], case["battery"], case["shift"]
    panels = capacity(m, solar["capacity"]) if solar else None
    engines = capacity(m, gas["capacity"]) if gas else None
    energy, power = (capacity(m, b["energy"]), capacity(m, b["power"])) if b else (None, None)
    levels = [m.column() for _ in range(steps)] if b else []
    month = 0
    days = {}
    for t in range(steps):
        if month + 1 < len(grid["months"]) and t == grid["months"][month + 1]:
            month += 1
        drawn = m.column(cost=grid["price_usd_per_mwh"][t] + grid["carbon_g_per_kwh"][t] / 1e3 * tonne)
        m.row(-INF, 0.0, [(drawn, 1), (peaks[month], -1)])
        balance = [(drawn, 1)]
        if solar:
            used = m.column()
            m.row(-INF, 0.0, [(used, 1), (panels, -solar["yield_mw_per_mw"][t])])
            balance.append((used, 1))
        if gas:
            burnt = m.column(cost=gas["fuel_usd_per_mwh"] + gas["carbon_kg_per_mwh"] / 1e3 * tonne)
            m.row(-INF, 0.0, [(burnt, 1), (engines, -1)])
            balance.append((burnt, 1))
        if b:
            into, out = m.column(), m.column()
            one_way = b["round_trip"] ** 0.5
            m.row(-INF, 0.0, [(into, 1), (out, 1), (power, -1)])
            m.row(-INF, 0.0, [(levels[t], 1), (energy, -1)])
            m.row(0.0, 0.0, [(levels[t], 1), (levels[t - 1], -1), (into, -one_way), (out, 1 / one_way)])
            balance += [(into, -1), (out, 1)]
        if shift:
            later = m.column(low=-shift * load[t], high=max(load) - load[t])
            days.setdefault(t // 24, []).append((later, 1))
            balance.append((later, -1))
        m.row(load[t], load[t], balance)
    for terms in days.values():
        m.row(0.0, 0.0, terms)
    return m.solve()


def main():
    found = {
        "highs": highspy.Highs().version(),
        "placement": placements(),
        "dispatch": [battery(seed) for seed in range(18)],
        "sizing": [sizing(seed) for seed in range(24)],
    }
    with open(sys.argv[1], "w") as file:
        # One problem a line, so that what changed can be seen.
        file.write('{"highs":' + json.dumps(found["highs"]))
        for kind in ["placement", "dispatch", "sizing"]:
            cases = ",\n".join(json.dumps(case, separators=(",", ":")) for case in found[kind])
            file.write(f',\n"{kind}":[\n{cases}]')
        file.write("}\n")


main()
