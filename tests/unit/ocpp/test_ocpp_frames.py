"""OCPP-J framing."""

import json

import pytest

from chargerd_drivers.ocpp.frames import Broken, Call, Fault, Result, encode_call, encode_fault, encode_result, parse


@pytest.mark.parametrize(
    ("message", "frames"),
    [
        pytest.param('[2,"1","Heartbeat",{}]', (Call("1", "Heartbeat", {}),), id="call"),
        pytest.param('[3,"1",{"a":1}]', (Result("1", {"a": 1}),), id="result"),
        pytest.param('[4,"1","GenericError","why",{}]', (Fault("1", "GenericError", "why"),), id="error"),
        pytest.param('[4,"1"]', (Fault("1", "", ""),), id="error without words"),
        pytest.param(b'[2,"1","Heartbeat",{}]', (Call("1", "Heartbeat", {}),), id="binary"),
        pytest.param('\ufeff [ 2 , "1",\r\n"Heartbeat",{}]\x00', (Call("1", "Heartbeat", {}),), id="mark, blanks, NUL"),
        pytest.param('[2,7,"Heartbeat"]', (Call(7, "Heartbeat", {}),), id="numeric id, no payload"),
        pytest.param('["2","1","Heartbeat",null]', (Call("1", "Heartbeat", {}),), id="type as text, null payload"),
        pytest.param(
            '[3,"1",{}][2,"2","Heartbeat",{}]', (Result("1", {}), Call("2", "Heartbeat", {})), id="two in one"
        ),
        pytest.param(
            '[2,"1","MeterValues",{"transactionId":,"sampledValue":[,{"value":"1"}]}]',
            (Call("1", "MeterValues", {"transactionId": None, "sampledValue": [{"value": "1"}]}),),
            id="ZJ Beny's missing values",
        ),
        pytest.param('[2,"1","Boot",{"a":[1,2', (Call("1", "Boot", {"a": [1, 2]}),), id="never closed"),
        pytest.param('[2,"1","Boot",{"a":1,},]', (Call("1", "Boot", {"a": 1}),), id="trailing commas"),
        pytest.param('[2,"1","X",{"t":"a [, b"}]', (Call("1", "X", {"t": "a [, b"}),), id="sound text is not mended"),
    ],
)
def test_a_message_is_read_whatever_its_dress(message, frames) -> None:
    assert parse(message) == frames


@pytest.mark.parametrize(
    ("message", "message_id", "action"),
    [
        pytest.param("hello", None, "", id="no JSON"),
        pytest.param("", None, "", id="empty"),
        pytest.param("{}", None, "", id="object"),
        pytest.param("[]", None, "", id="empty array"),
        pytest.param('[2,"1",["x"],{}]', "1", "", id="action is a list"),
        pytest.param('[2,{},"Heartbeat",{}]', None, "", id="id is an object"),
        pytest.param('[2,true,"Heartbeat",{}]', None, "", id="id is a truth value"),
        pytest.param('[2,"1","Meter",{"a":NaN}]', "1", "Meter", id="NaN"),
        pytest.param('[2,"1","Meter",{"a":-Infinity}]', "1", "Meter", id="infinity"),
        pytest.param('[2,"1","Meter",{"a":1e400}]', "1", "Meter", id="out of range"),
        pytest.param('[2,"1","Meter",{"a":' + "9" * 5000 + "}]", "1", "Meter", id="giant integer"),
        pytest.param('[2,"1","Meter",' + "[" * 100_000, "1", "Meter", id="deep"),
        pytest.param('[2,"1","Meter",' + "[" * 100 + "]" * 100 + "]", "1", "Meter", id="a hundred levels"),
    ],
)
def test_what_is_no_frame_says_why_and_whom_to_answer(message, message_id, action) -> None:
    [broken] = parse(message)
    assert isinstance(broken, Broken)
    assert (broken.message_id, broken.action) == (message_id, action)
    assert broken.reason
    assert not broken.is_type_unknown


BEAT = '[2,"2","Heartbeat",{}]'


@pytest.mark.parametrize(
    ("message", "frames"),
    [
        pytest.param(BEAT + '[2,"3","Hea', ["2", "3!"], id="whole, then cut off in its action"),
        pytest.param(BEAT + '[2,"3","Heartbeat",{', ["2", "3"], id="whole, then mended"),
        pytest.param(BEAT + '[2,"3","Heartbeat",{"a', ["2", "3!"], id="whole, then cut off"),
        pytest.param('[2,"1","MeterVal' + BEAT, ["1!", "2"], id="cut off, then whole"),
        pytest.param('[2,"1","MeterValues",{"a":"b' + BEAT, ["1!", "2"], id="cut off in its payload, then whole"),
        pytest.param('[2,"1","X",{"a":NaN}]' + BEAT, ["1!", "2"], id="no number, then whole"),
        pytest.param("garbage" + BEAT, [None, "2"], id="garbage, then whole"),
        pytest.param(BEAT + "]", ["2", None], id="a bracket too many"),
        pytest.param(BEAT * 16, ["2"] * 16, id="sixteen"),
        pytest.param(BEAT * 17, ["2"] * 16 + ["2!"], id="more than sixteen"),
        pytest.param('[2,"1","a' * 1000, ["1!"] * 16 + [None], id="cut off a thousand times"),
    ],
)
def test_what_is_whole_is_read_beside_what_is_cut_off(message, frames) -> None:
    """An exclamation mark: broken, but with an id."""
    ids = [frame.message_id and f"{frame.message_id}{'!' * isinstance(frame, Broken)}" for frame in parse(message)]
    assert ids == frames


def test_a_message_type_from_the_future_is_told_apart() -> None:
    [broken] = parse('[6,"1","Heartbeat",{}]')
    assert isinstance(broken, Broken)
    assert broken.is_type_unknown


def test_the_readable_rest_of_a_broken_request_is_salvaged() -> None:
    [broken] = parse('[2,"1","StopTransaction",{"transactionId":17,"meterStop":NaN,"x":1e999}]')
    assert isinstance(broken, Broken)
    assert broken.salvage == {"transactionId": 17, "meterStop": None, "x": None}


def test_what_is_sent_is_compact_json() -> None:
    assert encode_call("1", "Reset", {"type": "Soft"}) == '[2,"1","Reset",{"type":"Soft"}]'
    assert encode_result(7, {}) == "[3,7,{}]"
    assert json.loads(encode_fault("1", "InternalError", "x" * 300)) == [4, "1", "InternalError", "x" * 255, {}]
