SELECT first_day, count(*) FROM (
  SELECT date_trunc('day', min(TimeGenerated)) AS first_day FROM ProcessEvents
  WHERE TimeGenerated > $now - INTERVAL 7 DAY AND Executable IN ('/usr/bin/ssh', '/usr/bin/curl', '/usr/bin/wget')
  GROUP BY CommandLine HAVING min(DeviceId) = max(DeviceId))
GROUP BY first_day
