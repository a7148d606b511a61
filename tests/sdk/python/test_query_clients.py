"""azure-kusto-data and azure-monitor-query against the query heads: values, parameters, errors, cancel, large results."""

import datetime
import decimal
import json
import threading
import uuid

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.kusto.data import ClientRequestProperties, KustoClient, KustoConnectionStringBuilder
from azure.kusto.data.exceptions import KustoApiError, KustoMultiApiError, KustoServiceError
from azure.monitor.query import LogsBatchQuery, LogsQueryClient, LogsQueryStatus
from hub import FOLDER, Device, raw_event, security_message, until

URL = "https://localhost:8443"
DATABASE = "picket"
# Ends only when somebody ends it: more rows than a machine counts in the minutes a query has.
ENDLESS = ("range x from 1 to 100000 step 1 | extend k = 1 "
           "| join kind=inner (range y from 1 to 10000000 step 1 | extend k = 1) on k | summarize sum((x * y) % 7)")


def token() -> str:
    return (FOLDER / "server/secrets/cli-token").read_text().strip()


class Credential:
    def get_token(self, *_scopes, **_options) -> AccessToken:
        return AccessToken(token(), 4_000_000_000)


@pytest.fixture(scope="module")
def kusto():
    with KustoClient(KustoConnectionStringBuilder.with_aad_user_token_authentication(URL, token())) as client:
        yield client


@pytest.fixture(scope="module")
def logs():
    with LogsQueryClient(Credential(), endpoint=URL) as client:
        yield client


@pytest.fixture(scope="module")
def device():
    """A device with three raw events."""
    made = Device()
    client = made.client()
    for number in range(3):
        client.send_message(security_message(f"{made.id}-{number}"))
    raw_event(f"{made.id}-2")
    client.shutdown()
    return made


def asked(**parameters) -> ClientRequestProperties:
    properties = ClientRequestProperties()
    for name, value in parameters.items():
        properties.set_parameter(name, value)
    return properties


def test_kusto_values_of_every_type_come_back(kusto):
    row = kusto.execute_query(DATABASE, """
        print b = true, i = int(-7), l = 9007199254740993, r = 1.5, s = "a\\"é\\n", t = datetime(2026-11-22T01:02:03.456789Z),
              d = timespan(1.02:03:04.5), g = guid(74be27de-1e4e-49d9-b579-fe0b331d3642), o = dynamic({"a": [1, null, "x"]})""").primary_results[0][0]
    assert (row["b"], row["i"], row["l"], row["r"], row["s"]) == (True, -7, 9007199254740993, 1.5, 'a"é\n')
    assert row["t"] == datetime.datetime(2026, 11, 22, 1, 2, 3, 456789, tzinfo=datetime.timezone.utc)
    assert row["d"] == datetime.timedelta(days=1, hours=2, minutes=3, seconds=4.5)
    assert (row["g"], row["o"]) == ("74be27de-1e4e-49d9-b579-fe0b331d3642", {"a": [1, None, "x"]})


def test_kusto_nulls_of_every_type_are_none_and_a_missing_text_is_empty(kusto):
    table = kusto.execute_query(DATABASE, """
        print b = bool(null), i = int(null), l = long(null), r = real(null), s = "", t = datetime(null), d = timespan(null),
              g = guid(null), o = dynamic(null)""").primary_results[0]
    assert [column.column_type for column in table.columns] == [
        "bool", "int", "long", "real", "string", "datetime", "timespan", "guid", "dynamic"]
    assert [table[0][name] for name in "bilrtdgo"] == [None] * 8
    assert table[0]["s"] == ""


def test_kusto_a_decimal_keeps_its_digits(kusto):
    row = kusto.execute_query(DATABASE, "print d = decimal(0.1234567890123456789), n = decimal(null)").primary_results[0][0]
    assert row["d"] == decimal.Decimal("0.1234567890123456789") and row["n"] is None


def test_kusto_properties_beside_the_query_are_done_or_refused(kusto):
    def run(query, **options):
        properties = ClientRequestProperties()
        for name, value in options.items():
            properties.set_option(name, value)
        return [row.to_list() for row in kusto.execute_query(DATABASE, query, properties).primary_results[0]]

    assert run("range x from 1 to 9 step 1 | sort by x asc", query_take_max_records=2) == [[1], [2]]
    assert run("set query_take_max_records = 1; range x from 1 to 9 step 1 | sort by x asc") == [[1]]
    assert run("print now()", query_now="datetime(2020-01-02)")[0][0].year == 2020
    assert run("print x = 1", query_results_apply_getschema=True) == [["x", 0, "System.Int64", "long"]]
    with pytest.raises(KustoServiceError, match="'sql'"):
        run("select 1", query_language="sql")


def test_kusto_parameters_have_the_types_that_the_query_declares(kusto, device):
    row = kusto.execute_query(
        DATABASE, "declare query_parameters(name:string, since:datetime, span:timespan, least:long = 1); "
        "SecurityIoTRawEvent | where DeviceId == name and TimeGenerated > since - span "
        "| summarize n = count() | where n >= least", asked(name=device.id, since="datetime(2026-01-01)", span="time(1d)")
    ).primary_results[0][0]
    assert row["n"] == 3
    hostile = asked(name="x' or true //", since="2026-01-01", span="1d")
    assert len(kusto.execute_query(DATABASE, "declare query_parameters(name:string, since:datetime, span:timespan); "
                                   "SecurityIoTRawEvent | where DeviceId == name", hostile).primary_results[0]) == 0


def test_kusto_a_mistake_names_its_place(kusto):
    with pytest.raises(KustoApiError) as failed:
        kusto.execute_query(DATABASE, "SecurityIoTRawEvent\n| where Nope == 1")
    error = failed.value.get_api_error()
    assert (error.code, error.permanent) == ("General_BadRequest", True)
    assert "Nope" in error.description and "[line:position=2:9]" in error.description
    with pytest.raises(KustoApiError, match="Syntax error"):
        kusto.execute_query(DATABASE, "SecurityIoTRawEvent | where (")
    with pytest.raises(KustoServiceError, match="no database"):
        kusto.execute_query("other", "print 1")


def test_kusto_several_statements_give_several_tables(kusto):
    answer = kusto.execute_query(DATABASE, "let n = 3; range x from 1 to n step 1; print y = 'z'; "
                                 "range x from 1 to 4 step 1 | fork (where x > 2) (count)")
    assert [[tuple(row.to_list()) for row in table] for table in answer.primary_results] == [
        [(1,), (2,), (3,)], [("z",)], [(3,), (4,)], [(4,)]]


def test_kusto_commands_tell_what_there_is(kusto):
    tables = {row["TableName"] for row in kusto.execute_mgmt(DATABASE, ".show tables").primary_results[0]}
    assert {"SecurityIoTRawEvent", "SecurityAlert", "SecurityIncident"} <= tables
    schema = json.loads(kusto.execute_mgmt(DATABASE, ".show database schema as json").primary_results[0][0]["DatabaseSchema"])
    columns = schema["Databases"]["picket"]["Tables"]["SecurityIoTRawEvent"]["OrderedColumns"]
    assert {"Name": "EventDetails", "Type": "System.String", "CslType": "string"} in columns
    csl = kusto.execute_mgmt(DATABASE, ".show table SecurityIoTRawEvent cslschema").primary_results[0][0]
    assert csl["Schema"].startswith("TimeGenerated:datetime,TimeStamp:datetime,DeviceId:string")
    piped = kusto.execute_mgmt(DATABASE, ".show tables | where TableName startswith 'SecurityI' | sort by TableName asc")
    assert [row["TableName"] for row in piped.primary_results[0]] == ["SecurityIncident", "SecurityIoTRawEvent"]
    with pytest.raises(KustoServiceError, match="read-only"):
        kusto.execute_mgmt(DATABASE, ".drop table SecurityAlert")


def test_kusto_a_cut_result_is_an_error(kusto):
    properties = ClientRequestProperties()
    properties.set_option("truncationmaxrecords", 5)
    with pytest.raises(KustoMultiApiError) as failed:
        kusto.execute_query(DATABASE, "range x from 1 to 100 step 1", properties)
    assert failed.value.get_api_errors()[0].code == "LimitsExceeded"


def test_kusto_large_results_arrive_whole_at_once_and_as_a_stream(kusto):
    query = "range x from 1 to 120000 step 1 | extend s = strcat('row ', x), d = dynamic([1,2])"
    table = kusto.execute_query(DATABASE, query).primary_results[0]
    assert len(table) == 120_000 and sum(row["x"] for row in table) == 120_000 * 120_001 // 2
    count = total = 0
    for stream in kusto.execute_streaming_query(DATABASE, query).iter_primary_results():
        for row in stream:
            count, total = count + 1, total + row["x"]
    assert (count, total) == (120_000, 120_000 * 120_001 // 2)


def test_kusto_a_query_ends_when_it_is_cancelled_by_its_request_id(kusto):
    properties = ClientRequestProperties()
    properties.client_request_id = f"py.query;{uuid.uuid4()}"
    failures = []

    def run():
        try:
            kusto.execute_query(DATABASE, ENDLESS, properties)
        except KustoServiceError as error:
            failures.append(error)

    caller = threading.Thread(target=run)
    caller.start()
    shown = until(lambda: [row for row in kusto.execute_mgmt(DATABASE, ".show queries").primary_results[0]
                           if row["ClientActivityId"] == properties.client_request_id], "the query runs")
    assert shown[0]["Text"] == ENDLESS
    ended = kusto.execute_mgmt(DATABASE, f'.cancel query "{properties.client_request_id}"').primary_results[0]
    assert [row["State"] for row in ended] == ["Cancelled"]
    caller.join(60)
    assert [error.get_api_error().code for error in failures] == ["RequestAborted"]


def test_kusto_a_query_ends_at_its_timeout(kusto):
    properties = ClientRequestProperties()
    properties.set_option(ClientRequestProperties.request_timeout_option_name, datetime.timedelta(seconds=2))
    with pytest.raises(KustoApiError) as failed:
        kusto.execute_query(DATABASE, ENDLESS, properties)
    assert failed.value.get_api_error().code == "LimitsExceeded"


def test_logs_rows_of_a_device_by_time_span(logs, device):
    query = (f"SecurityIoTRawEvent | where DeviceId == '{device.id}' | extend e = parse_json(EventDetails) "
             "| project TimeGenerated, RawEventName, e, pid = tolong(e.ProcessId) | sort by TimeGenerated asc")
    result = logs.query_workspace(DATABASE, query, timespan=datetime.timedelta(hours=1),
                                  include_statistics=True, include_visualization=True)
    assert result.status == LogsQueryStatus.SUCCESS
    table = result.tables[0]
    assert (table.name, table.columns) == ("PrimaryResult", ["TimeGenerated", "RawEventName", "e", "pid"])
    assert table.columns_types == ["datetime", "string", "dynamic", "long"]
    assert [(row["RawEventName"], row["pid"]) for row in table.rows] == [("ProcessCreate", 42)] * 3
    assert isinstance(table.rows[0]["TimeGenerated"], datetime.datetime)
    assert json.loads(table.rows[0]["e"])["Executable"] == "/usr/bin/true"
    assert result.statistics["query"]["datasetStatistics"][0]["tableRowCount"] == 3
    last_year = datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc)
    old = logs.query_workspace(DATABASE, query, timespan=(last_year, datetime.timedelta(days=1)))
    assert old.tables[0].rows == []


def test_logs_a_batch_answers_each_query_by_itself(logs):
    good, wrong, several = logs.query_batch([
        LogsBatchQuery(DATABASE, "print x = 1", timespan=None),
        LogsBatchQuery(DATABASE, "Nope", timespan=None),
        LogsBatchQuery(DATABASE, "print x = 2; print y = 3", timespan=None)])
    assert good.tables[0].rows[0]["x"] == 1
    assert (wrong.status, wrong.code) == (LogsQueryStatus.FAILURE, "BadArgumentError")
    assert [table.rows[0][0] for table in several.tables] == [2, 3]


def test_logs_a_mistake_is_told_with_its_place(logs):
    with pytest.raises(HttpResponseError) as failed:
        logs.query_workspace(DATABASE, "SecurityAlert | where Nope == 1", timespan=None)
    assert failed.value.status_code == 400 and "Nope" in str(failed.value)


def test_logs_a_cut_result_is_partial(logs):
    result = logs.query_workspace(DATABASE, "range x from 1 to 600000 step 1", timespan=None)
    assert result.status == LogsQueryStatus.PARTIAL
    assert len(result.partial_data[0].rows) == 500_000
    assert result.partial_error.code == "PartialError"
