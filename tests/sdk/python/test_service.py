"""azure-iot-hub: registry, queries, jobs, configurations, statistics."""

import datetime
import json
import urllib.request
import uuid

import pytest
from azure.iot.hub import IoTHubConfigurationManager, IoTHubJobManager, IoTHubRegistryManager
from azure.iot.hub.models import (Configuration, ConfigurationContent, ExportImportDevice, JobProperties, JobRequest,
                                  QuerySpecification, Twin, TwinProperties)
from hub import HOST, Device, service_string, service_token, until

CONTAINER = f"https://{HOST}/uploads-picket"


@pytest.fixture(scope="module")
def registry():
    return IoTHubRegistryManager.from_connection_string(service_string())


def name(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def test_a_device_with_keys_is_created_read_changed_and_deleted(registry):
    device_id = name("crud")
    made = registry.create_device_with_sas(device_id, "", "", "enabled")
    assert made.authentication.symmetric_key.primary_key
    assert registry.get_device(device_id).generation_id == made.generation_id
    key = made.authentication.symmetric_key
    changed = registry.update_device_with_sas(device_id, made.etag, key.primary_key, key.secondary_key, "disabled",
                                              status_reason="in repair")
    assert (changed.status, changed.status_reason) == ("disabled", "in repair")
    with pytest.raises(Exception, match="412|Precondition"):
        registry.update_device_with_sas(device_id, made.etag, key.primary_key, key.secondary_key, "enabled")
    registry.delete_device(device_id)
    with pytest.raises(Exception, match="404|Not Found"):
        registry.get_device(device_id)


def test_other_kinds_of_authentication(registry):
    thumbprints = ("A" * 40, "B" * 40)
    made = registry.create_device_with_x509(name("x509"), *thumbprints, "enabled")
    assert made.authentication.type == "selfSigned"
    assert made.authentication.x509_thumbprint.primary_thumbprint == thumbprints[0]
    assert registry.create_device_with_certificate_authority(name("ca"), "enabled").authentication.type == "certificateAuthority"


def test_modules(registry):
    device_id = name("mod")
    registry.create_device_with_sas(device_id, "", "", "enabled")
    made = registry.create_module_with_sas(device_id, "m1", "me", "", "")
    assert made.module_id == "m1"
    assert "m1" in [module.module_id for module in registry.get_modules(device_id)]
    registry.delete_module(device_id, "m1")
    with pytest.raises(Exception, match="404|Not Found"):
        registry.get_module(device_id, "m1")


def test_bulk_statistics_and_configuration_of_the_service(registry):
    devices = [ExportImportDevice(id=name("bulk"), import_mode="create", status="enabled") for _ in range(20)]
    assert registry.bulk_create_or_update_devices(devices).is_successful
    assert registry.get_device(devices[19].id).status == "enabled"
    assert registry.get_device_registry_statistics().total_device_count >= 20
    assert registry.get_service_statistics().connected_device_count >= 0
    assert len(registry.get_devices()) >= 20


def test_a_query_comes_in_pages(registry):
    fleet = name("fleet")
    for n in range(7):
        registry.create_device_with_sas(f"{fleet}-{n}", "", "", "enabled")
        registry.update_twin(f"{fleet}-{n}", Twin(tags={"fleet": fleet, "n": n}), "*")
    query, token, seen = QuerySpecification(query=f"SELECT * FROM devices WHERE tags.fleet = '{fleet}' AND tags.n > 1"), None, []
    while True:
        page = registry.query_iot_hub(query, token, 2)
        seen += [twin.device_id for twin in page.items]
        assert len(page.items) <= 2
        token = page.continuation_token
        if not token:
            break
    assert sorted(seen) == [f"{fleet}-{n}" for n in range(2, 7)]


def test_a_job_updates_twins(registry):
    device = Device()
    jobs = IoTHubJobManager.from_connection_string(service_string())
    job_id = name("job")
    twin = Twin(etag="*", properties=TwinProperties(desired={"batch": 7}))
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    jobs.create_scheduled_job(job_id, JobRequest(job_id=job_id, type="scheduleUpdateTwin", update_twin=twin, start_time=now,
                                                 query_condition=f"deviceId = '{device.id}'",
                                                 max_execution_time_in_seconds=60))
    until(lambda: jobs.get_scheduled_job(job_id).status == "completed", "the job ends", 60)
    assert registry.get_twin(device.id).properties.desired["batch"] == 7


def test_a_configuration_reaches_its_devices(registry):
    device = Device()
    configurations = IoTHubConfigurationManager.from_connection_string(service_string())
    config_id = name("config")
    registry.update_twin(device.id, Twin(tags={"config": config_id}), "*")
    content = ConfigurationContent(device_content={"properties.desired.agent": {"interval": 30}})
    configurations.create_configuration(Configuration(id=config_id, content=content, priority=5,
                                                      target_condition=f"tags.config='{config_id}'"))
    until(lambda: (registry.get_twin(device.id).properties.desired.get("agent") or {}).get("interval") == 30, "the content", 60)
    assert config_id in [c.id for c in configurations.get_configurations()]
    configurations.delete_configuration(config_id)


def file(method: str, name: str, content: str | None = None) -> str:
    request = urllib.request.Request(f"{CONTAINER}/{name}", content.encode() if content else None,
                                     {"Authorization": service_token()}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def test_devices_are_imported_and_exported_by_jobs(registry):
    jobs = IoTHubJobManager.from_connection_string(service_string())

    def done(**properties):
        job = jobs.create_import_export_job(JobProperties(output_blob_container_uri=CONTAINER, **properties))
        ended = until(lambda: next((now for now in [jobs.get_import_export_job(job.job_id)]
                                    if now.status in ("completed", "failed")), None), "the end of the job")
        assert ended.status == "completed", ended.failure_reason

    device_id, old = name("import"), name("old")
    registry.create_device_with_sas(old, "", "", "enabled")
    lines = [{"id": device_id, "importMode": "create", "status": "enabled"}, {"id": old, "importMode": "create"}]
    file("PUT", "devices.txt", "\n".join(map(json.dumps, lines)))
    done(type="import", input_blob_container_uri=CONTAINER)
    key = registry.get_device(device_id).authentication.symmetric_key.primary_key
    assert old in file("GET", "importErrors.log")
    for without_keys in (False, True):
        done(type="export", exclude_keys_in_export=without_keys)
        exported = {device["id"]: device for device in map(json.loads, file("GET", "devices.txt").splitlines())}
        assert {device_id, old} <= exported.keys()
        assert (key in json.dumps(exported[device_id])) != without_keys
