SELECT l.DeviceId, l.RemoteAddress, count(*) FROM
  (SELECT DeviceId, TimeGenerated, RemoteAddress FROM LoginEvents WHERE TimeGenerated > $now - INTERVAL 1 DAY AND Result = 'Fail') l
  JOIN (SELECT DeviceId, TimeGenerated FROM ProcessEvents WHERE TimeGenerated > $now - INTERVAL 1 DAY AND Executable = '/usr/bin/bash') p
  ON l.DeviceId = p.DeviceId AND p.TimeGenerated >= l.TimeGenerated AND p.TimeGenerated <= l.TimeGenerated + INTERVAL 10 MINUTE
GROUP BY ALL
