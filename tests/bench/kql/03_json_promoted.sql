SELECT DeviceId, count(*), max(TimeGenerated) FROM ProcessEvents
WHERE RawEventName = 'ProcessCreate' AND UserName = 'root' AND Executable = '/usr/bin/bash' GROUP BY DeviceId
