SELECT nic->>'$.Name' AS name, nic->>'$.Type' AS type, count(*) FROM (
  SELECT unnest(json_extract(EventDetails, '$.Nics[*]')) AS nic FROM DeviceEvents
  WHERE TimeGenerated > $now - INTERVAL 5 DAY AND RawEventName = 'SystemInformation')
GROUP BY ALL
