SELECT Executable, count(*), count(DISTINCT DeviceId) FROM ProcessEvents
WHERE TimeGenerated > $now - INTERVAL 7 DAY AND contains(lower(CommandLine), 'update3')
  AND regexp_matches(CommandLine, '(?i)(^|[^0-9A-Za-z])update3([^0-9A-Za-z]|$)')
GROUP BY Executable
