SELECT DeviceId, count(DISTINCT RemoteAddress), sum(BytesOut)::BIGINT FROM NetworkEvents
WHERE RawEventName = 'ConnectionCreate' GROUP BY DeviceId
