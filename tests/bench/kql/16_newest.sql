SELECT TimeGenerated, DeviceId, RawEventName FROM (
  SELECT TimeGenerated, DeviceId, RawEventName FROM ProcessEvents UNION ALL SELECT TimeGenerated, DeviceId, RawEventName FROM NetworkEvents
  UNION ALL SELECT TimeGenerated, DeviceId, RawEventName FROM LoginEvents UNION ALL SELECT TimeGenerated, DeviceId, RawEventName FROM FileEvents
  UNION ALL SELECT TimeGenerated, DeviceId, RawEventName FROM DeviceEvents)
ORDER BY TimeGenerated DESC LIMIT 100
