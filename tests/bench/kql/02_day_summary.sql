SELECT RawEventName, time_bucket(INTERVAL 1 HOUR, TimeGenerated), count(*) FROM (
  SELECT RawEventName, TimeGenerated FROM ProcessEvents UNION ALL SELECT RawEventName, TimeGenerated FROM NetworkEvents
  UNION ALL SELECT RawEventName, TimeGenerated FROM LoginEvents UNION ALL SELECT RawEventName, TimeGenerated FROM FileEvents
  UNION ALL SELECT RawEventName, TimeGenerated FROM DeviceEvents)
WHERE TimeGenerated > $now - INTERVAL 1 DAY GROUP BY ALL
