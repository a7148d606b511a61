"""azure-iot-device: certificates, and provisioning over MQTT and MQTT in WebSocket."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import urllib.request
import uuid

import pytest
from azure.iot.device import IoTHubDeviceClient, Message, ProvisioningDeviceClient, X509
from azure.iot.hub import IoTHubRegistryManager
from hub import FOLDER, HOST, ask, service_string, service_token, trusting

both = pytest.mark.parametrize("websockets", [False, True], ids=["mqtt", "websocket"])


def certificate(common_name: str) -> tuple[X509, str]:
    """A self-signed certificate and its SHA-256 thumbprint."""
    key, cert = FOLDER / f"{common_name}.key", FOLDER / f"{common_name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={common_name}", "-keyout", key, "-out", cert], check=True, capture_output=True)
    der = subprocess.run(["openssl", "x509", "-in", cert, "-outform", "DER"], check=True, capture_output=True).stdout
    return X509(cert_file=str(cert), key_file=str(key)), hashlib.sha256(der).hexdigest().upper()


def enroll(connection_string: str, path: str, body: dict) -> None:
    """By the service's REST API: there is no maintained Python SDK for it."""
    request = urllib.request.Request(f"https://{HOST}/{path}?api-version=2021-10-01", json.dumps(body).encode(),
                                     {"Authorization": service_token(connection_string), "Content-Type": "application/json"},
                                     method="PUT")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


@both
def test_a_certificate_opens_the_hub_by_its_thumbprint(websockets):
    device_id = f"x509-{uuid.uuid4().hex[:8]}"
    mine, thumbprint = certificate(device_id)
    IoTHubRegistryManager.from_connection_string(service_string()).create_device_with_x509(
        device_id, thumbprint, thumbprint, "enabled")
    client = IoTHubDeviceClient.create_from_x509_certificate(mine, HOST, device_id, **trusting({"websockets": websockets}))
    client.send_message(Message("by certificate"))
    client.shutdown()
    stranger, _ = certificate(device_id + "s")
    other = IoTHubDeviceClient.create_from_x509_certificate(
        stranger, HOST, device_id, **trusting({"websockets": websockets, "connection_retry": False}))
    with pytest.raises(Exception):
        other.connect()
    other.shutdown()


def secret() -> str:
    return base64.b64encode(os.urandom(32)).decode()


def by_key(key: str) -> dict:
    return {"attestation": {"type": "symmetricKey", "symmetricKey": {"primaryKey": key, "secondaryKey": secret()}}}


@both
def test_a_member_of_a_group_is_provisioned_by_key(websockets):
    service = ask("provisioning")
    group_key, group = secret(), f"group-{uuid.uuid4().hex[:8]}"
    enroll(service["connectionString"], f"enrollmentGroups/{group}", {"enrollmentGroupId": group} | by_key(group_key))
    registration_id = f"member-{uuid.uuid4().hex[:8]}"
    key = base64.b64encode(hmac.new(base64.b64decode(group_key), registration_id.encode(), hashlib.sha256).digest()).decode()
    client = ProvisioningDeviceClient.create_from_symmetric_key(
        HOST, registration_id, service["idScope"], key, **trusting({"websockets": websockets}))
    result = client.register()
    assert (result.status, result.registration_state.device_id) == ("assigned", registration_id)
    assert result.registration_state.assigned_hub == HOST
    device = IoTHubDeviceClient.create_from_symmetric_key(key, HOST, registration_id, **trusting({}))
    device.send_message(Message("provisioned"))
    device.shutdown()


@both
def test_individual_enrolments_by_key_and_by_certificate(websockets):
    service = ask("provisioning")
    options = trusting({"websockets": websockets})
    key, registration_id = secret(), f"reg-{uuid.uuid4().hex[:8]}"
    enroll(service["connectionString"], f"enrollments/{registration_id}", {"registrationId": registration_id} | by_key(key))
    client = ProvisioningDeviceClient.create_from_symmetric_key(HOST, registration_id, service["idScope"], key, **options)
    assert client.register().registration_state.device_id == registration_id
    wrong = ProvisioningDeviceClient.create_from_symmetric_key(HOST, registration_id, service["idScope"], secret(), **options)
    with pytest.raises(Exception):
        wrong.register()

    registration_id = f"cert-{uuid.uuid4().hex[:8]}"
    mine, _ = certificate(registration_id)
    text = base64.b64encode(pathlib.Path(mine.certificate_file).read_bytes()).decode()
    enroll(service["connectionString"], f"enrollments/{registration_id}", {
        "registrationId": registration_id,
        "attestation": {"type": "x509", "x509": {"clientCertificates": {"primary": {"certificate": text}}}}})
    client = ProvisioningDeviceClient.create_from_x509_certificate(HOST, registration_id, service["idScope"], mine, **options)
    assert client.register().registration_state.device_id == registration_id
    device = IoTHubDeviceClient.create_from_x509_certificate(mine, HOST, registration_id, **options)
    device.send_message(Message("provisioned"))
    device.shutdown()
