"""The trace export, read by a public parser and held to the published format.

The parser is Holistic Trace Analysis, which reads the Chrome traces of PyTorch's profiler. It keeps complete events
only, so flows and metadata are held to a schema written after the Trace Event Format document.
"""

import json
import logging

import jsonschema
import numpy as np
import pytest
from runs import METHODS, machine, run

from rebuttal.machines.hardware import Link
from rebuttal.machines.stragglers import Exponential
from rebuttal.simulation.timeline_metrics import gradients
from rebuttal.simulation.trace_events import trace, write_trace

LINK = Link(latency_s=0.01, bandwidth_bytes_per_s=1e5, source="test")
NUMBER, WHOLE = {"type": "number", "minimum": 0}, {"type": "integer", "minimum": 0}
TEXT = {"type": "string", "minLength": 1}


def event(phase, required, **properties):
    """The schema of one kind of event: these fields and no others."""
    common = {"ph": {"const": phase}, "pid": WHOLE, "tid": WHOLE, "name": TEXT}
    return {
        "type": "object",
        "properties": {**common, **properties},
        "required": [*common, *required],
        "additionalProperties": False,
    }


METADATA = event("M", ["args"], args={"type": "object", "required": ["name"], "properties": {"name": TEXT}})
COMPLETE = event("X", ["ts", "dur", "cat"], ts=NUMBER, dur=NUMBER, cat=TEXT, args={"type": "object"})
FLOW = {"ts": NUMBER, "cat": TEXT, "id": WHOLE, "args": {"type": "object"}}
START = event("s", ["ts", "cat", "id"], **FLOW)
FINISH = event("f", ["ts", "cat", "id", "bp"], **FLOW, bp={"const": "e"})
FORMAT = {
    "type": "object",
    "properties": {
        "traceEvents": {"type": "array", "items": {"oneOf": [METADATA, COMPLETE, START, FINISH]}},
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "otherData": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["traceEvents"],
    "additionalProperties": False,
}


@pytest.fixture(params=METHODS)
def timeline(request):
    program, options = METHODS[request.param]
    return run(program, options, updates=8, machine=machine(Exponential(), LINK, update_s=0.02))


def parsed(path):
    """Complete events as a data frame with names decoded, by the public parser."""
    from hta.common.trace_parser import parse_trace_dataframe
    from hta.configs.parser_config import ParserBackend, ParserConfig

    logging.getLogger("hta").setLevel(logging.ERROR)
    config = ParserConfig([], parse_all_args=True)
    config.set_parser_backend(ParserBackend.JSON)
    about, frame, symbols = parse_trace_dataframe(str(path), config)
    names = symbols.get_sym_table()
    return about, frame.assign(name=[names[i] for i in frame["name"]], cat=[names[i] for i in frame["cat"]])


@pytest.mark.filterwarnings("ignore")  # the parser's own: it calls pandas in ways that pandas will drop
def test_a_public_parser_reads_every_computation(timeline, tmp_path):
    write_trace(timeline, tmp_path / "trace.json")
    about, frame = parsed(tmp_path / "trace.json")
    computes = timeline.computes
    assert about["otherData"]["method"] == timeline.about["method"]
    assert frame["name"].tolist() == [timeline.names[code] for code in computes["operation"]]
    assert frame["tid"].tolist() == computes["node"].tolist()
    assert set(frame["cat"]) == {"compute"}
    # it rounds to whole microseconds, inwards
    np.testing.assert_allclose(frame["ts"], computes["start_s"] * 1e6, rtol=0, atol=1)
    np.testing.assert_allclose(frame["ts"] + frame["dur"], computes["end_s"] * 1e6, rtol=0, atol=1)


@pytest.mark.filterwarnings("ignore")
def test_a_public_parser_finds_the_fate_of_every_gradient(tmp_path):
    timeline = run("backup_workers", {"b": 2}, updates=8)
    write_trace(timeline, tmp_path / "trace.json")
    _, frame = parsed(tmp_path / "trace.json")
    table = gradients(timeline)
    finished = frame[(frame["name"] == "gradient") & (frame["ts"] + frame["dur"] <= timeline.end_s * 1e6)]
    finished = finished.assign(end=finished["ts"] + finished["dur"]).sort_values("end", kind="stable")
    assert finished["version_read"].tolist() == table["version_read"].values.tolist()
    assert finished["update"].tolist() == table["update"].values.tolist()
    assert finished["dropped"].tolist() == table["late"].values.tolist()


def test_every_event_has_the_fields_of_the_format_and_no_others(timeline):
    found = json.loads(json.dumps(trace(timeline)))
    jsonschema.Draft202012Validator(FORMAT).validate(found)


def test_the_schema_refuses_what_is_not_the_format():
    sound = trace(run("asynchronous", updates=2))
    for change in ({"ph": "Q"}, {"ts": -1.0}, {"dur": None}, {"unknown": 1}):
        broken = json.loads(json.dumps(sound))
        complete = next(e for e in broken["traceEvents"] if e["ph"] == "X")
        complete.update(change)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(FORMAT).validate(broken)


def test_flows_come_in_pairs_between_the_right_nodes(timeline):
    events = trace(timeline)["traceEvents"]
    starts, ends = ({e["id"]: e for e in events if e["ph"] == phase} for phase in "sf")
    arrived = np.flatnonzero(~np.isnan(timeline.messages["arrived_s"])).tolist()
    assert list(starts) == list(ends) == arrived
    for row in arrived:
        assert starts[row]["tid"] == timeline.messages["source"][row]
        assert ends[row]["tid"] == timeline.messages["destination"][row]
        assert starts[row]["ts"] <= ends[row]["ts"]
        assert (starts[row]["cat"], starts[row]["name"]) == (ends[row]["cat"], ends[row]["name"])


def test_every_node_with_events_has_a_name_and_its_role(timeline):
    events = trace(timeline)["traceEvents"]
    names = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M"}
    assert {e["tid"] for e in events} == set(names)
    servers = {node for node, name in names.items() if "server" in name}
    assert servers == set(range(timeline.about["servers"]))


def test_the_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "trace.json"
    write_trace(run("softsync", {"n": 2}), path)
    assert [file.name for file in path.parent.iterdir()] == ["trace.json"]
    assert json.loads(path.read_text())["traceEvents"]
