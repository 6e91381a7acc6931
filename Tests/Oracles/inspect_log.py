"""Checks that Inspect reads an exported log of results, and that it says the same as the results.

    pip install inspect_ai
    remit eval run classify-risk --out results.jsonl
    remit eval export results.jsonl --out classify.json
    python3 Tests/Oracles/inspect_log.py results.jsonl classify.json

Inspect's own validation of the log, its samples, epochs, scores and usage are compared with the lines of the results; then the log is
written and read by Inspect once more, in both of its formats.
"""

import json
import sys
import tempfile
from pathlib import Path

from inspect_ai.log import read_eval_log, read_eval_log_samples, write_eval_log


def main(results_path: str, log_path: str) -> None:
    lines = [json.loads(line) for line in Path(results_path).read_text(encoding="utf-8").splitlines()]
    header, trials = lines[0], lines[1:]
    log = read_eval_log(log_path)
    assert log.version == 2, log.version
    complete = len(trials) == header["samples"] * header["repeat"]
    assert log.status == ("success" if complete else "cancelled"), log.status
    assert log.eval.task == f"remit/{header['suite']}" and log.eval.model.endswith("/" + header["model"])
    assert log.eval.metadata["release"] == header["release"]
    assert log.results.total_samples == header["samples"] * header["repeat"]
    assert log.results.completed_samples == len(trials) == len(log.samples)
    for trial, sample in zip(trials, log.samples):
        assert (sample.id, sample.epoch) == (trial["sample"], trial["repeat"])
        assert sample.scores["turns"].value == trial["turns"]
        assert sample.scores["tokens"].value == trial["input_tokens"] + trial["output_tokens"]
        if "fields" in trial.get("expect", {}):
            assert json.loads(sample.target)["fields"] == trial["expect"]["fields"]
        assert (json.loads(sample.output.completion) if sample.output.completion else None) == trial.get("answer")
    means = {score.name: score.metrics["mean"].value for score in log.results.scores}
    assert abs(means["turns"] - sum(t["turns"] for t in trials) / len(trials)) < 1e-9
    with tempfile.TemporaryDirectory() as folder:
        for ending in ("json", "eval"):
            path = f"{folder}/log.{ending}"
            write_eval_log(log, path)
            again = read_eval_log(path)
            assert again.results == log.results and len(again.samples) == len(trials), ending
            if complete:
                assert len(list(read_eval_log_samples(path))) == len(trials)
    print(f"inspect reads {len(trials)} trials of {header['suite']} as they are: {means}")


if __name__ == "__main__":
    main(*sys.argv[1:])
