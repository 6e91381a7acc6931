#!/usr/bin/env python3
"""Checks Remit's XES, CSV and OCEL files against pm4py, which is AGPL and stays outside: an oracle only.

    python3 -m venv /tmp/oracle && /tmp/oracle/bin/pip install pm4py
    swift build && /tmp/oracle/bin/python Tests/Oracles/event_logs.py .build/debug/remit

Random logs go pm4py -> Remit -> pm4py, in XES and CSV, and must come back equal; the log of `remit demo` is exported in all formats, read by
pm4py, and compared. No value is missing, since pm4py writes that as `<float … value="nan"/>`, which is no number of XML Schema. OCEL goes Remit -> pm4py -> Remit. Prints one line a check; ends with 1 where one fails.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
import pandas as pd  # noqa: E402
import pm4py  # noqa: E402

REMIT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else ".build/debug/remit")
CASE, ACTIVITY, TIME, RESOURCE = "case:concept:name", "concept:name", "time:timestamp", "org:resource"
failures = 0


def check(name, is_equal, detail=""):
    global failures
    failures += not is_equal
    print(f"{'ok  ' if is_equal else 'FAIL'} {name} {detail}", flush=True)


def remit(*arguments):
    done = subprocess.run([REMIT, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"remit {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def rows(frame, columns):
    """The events in order of case and time, those of one time in the order of the file."""
    frame = frame.assign(**{TIME: pd.to_datetime(frame[TIME], utc=True)})
    frame = frame.sort_values([CASE, TIME], kind="stable")
    return [tuple(None if pd.isna(v) else str(v) for v in row) for row in frame[columns].itertuples(index=False)]


def random_log(seed):
    r = random.Random(seed)
    words = ["Prüfen", "a & b", "<x>", 'say "hi"', "it's", "漢字", "a,b;c", "plain", "two\nlines"]
    data = []
    for case in range(40):
        moment = 1_700_000_000_000 + r.randrange(10**9)
        for _ in range(r.randrange(1, 12)):
            moment += r.choice([0, 1, 999, 60_000, 3_600_000])
            data.append({
                CASE: f"case-{case}", ACTIVITY: r.choice(words),
                TIME: pd.Timestamp(moment, unit="ms", tz="UTC"), RESOURCE: r.choice(words), "cost": r.randrange(1000),
                "share": r.random()})
    return pd.DataFrame(data)


def main():
    columns = [CASE, ACTIVITY, TIME, RESOURCE, "cost", "share"]
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)  # noqa: E731
        for seed in range(10):
            frame = random_log(seed)
            pm4py.write_xes(frame, path("a.xes"), case_id_key=CASE)
            remit("mine", "export", path("b.xes"), "--log", path("a.xes"))
            check(f"xes {seed}", rows(pm4py.read_xes(path("b.xes")), columns) == rows(pm4py.read_xes(path("a.xes")), columns))
            remit("mine", "export", path("b.csv"), "--log", path("a.xes"))
            # pandas reads a column with empty cells as numbers with a fraction where it can: compare what both read as texts.
            back = pd.read_csv(path("b.csv"), dtype=str, keep_default_na=False, na_values=[""])
            check(f"csv {seed}", rows(back, columns[:5]) == rows(frame, columns[:5]))
            mined = json.loads(remit("mine", "variants", "--json", "--limit", "10000", "--log", path("a.xes")))
            check(f"variants {seed}", len(mined["variants"]) == len(pm4py.get_variants(pm4py.read_xes(path("a.xes")))))

        remit("demo", "--workspace", path("demo"))
        for name in ["log.xes", "log.csv", "log.jsonocel"]:
            remit("mine", "export", path(name), "--workspace", path("demo"))
        xes = pm4py.read_xes(path("log.xes"))
        table = pd.read_csv(path("log.csv"))
        keys = [CASE, ACTIVITY, TIME, RESOURCE, "lifecycle:transition"]
        check("demo: xes and csv", rows(xes, keys) == rows(table, keys), f"{len(xes)} events")

        ours = json.load(open(path("log.jsonocel")))
        theirs = pm4py.read_ocel2_json(path("log.jsonocel"))
        check("demo: ocel events", len(theirs.events) == len(ours["events"]), f"{len(ours['events'])}")
        check("demo: ocel objects", len(theirs.objects) == len(ours["objects"]), f"{len(ours['objects'])}")
        links = sum(len(event["relationships"]) for event in ours["events"])
        check("demo: ocel relations", len(theirs.relations) == links, f"{links}")
        pm4py.write_ocel2_json(theirs, path("theirs.jsonocel"))
        for kind in ["run", "proposal", "person"]:
            flat = pm4py.ocel_flattening(theirs, kind)
            for name in ["log.jsonocel", "theirs.jsonocel"]:
                remit("mine", "export", path("flat.csv"), "--log", path(name), "--map", f"object={kind}")
                mine = pd.read_csv(path("flat.csv"))
                # pm4py writes OCEL's times in whole seconds.
                digits = 23 if name.startswith("log") else 19
                order = lambda frame: sorted((c, a, t[:digits]) for c, a, t in rows(frame, [CASE, ACTIVITY, TIME]))  # noqa: E731
                check(f"demo: {kind} of {name}", order(mine) == order(flat), f"{len(flat)} events")
    print(f"{failures} failed; pm4py {pm4py.__version__}")
    sys.exit(1 if failures else 0)


main()
