SELECT DeviceId, sum(CpuTimeMs)::BIGINT, max(CpuTimeMs) FROM (
  SELECT DeviceId, json_extract(EventDetails, '$.CpuTimeMs')::BIGINT AS CpuTimeMs FROM ProcessEvents
  WHERE TimeGenerated > $now - INTERVAL 2 DAY AND RawEventName = 'ProcessTerminate')
GROUP BY DeviceId
