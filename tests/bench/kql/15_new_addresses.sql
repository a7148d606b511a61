SELECT RemotePort, sum(HitCount)::BIGINT, count(DISTINCT DeviceId) FROM
  (SELECT RemotePort, HitCount, DeviceId, RemoteAddress FROM NetworkEvents WHERE TimeGenerated > $now - INTERVAL 1 DAY AND RawEventName = 'ConnectionCreate') t
  ANTI JOIN (SELECT DeviceId, RemoteAddress FROM NetworkEvents WHERE TimeGenerated BETWEEN $now - INTERVAL 8 DAY AND $now - INTERVAL 1 DAY
             AND RawEventName = 'ConnectionCreate' AND Direction = 'In') b USING (RemoteAddress, DeviceId)
GROUP BY RemotePort
