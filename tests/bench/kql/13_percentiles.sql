SELECT Protocol, RemotePort, p[1], p[2], p[3] FROM (
  SELECT Protocol, RemotePort, quantile_disc(DurationMs, [0.5, 0.95, 0.99]) AS p FROM NetworkEvents
  WHERE RawEventName = 'ConnectionCreate' AND TimeGenerated > $now - INTERVAL 7 DAY GROUP BY ALL)
