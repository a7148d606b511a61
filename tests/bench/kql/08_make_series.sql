SELECT Protocol, '[' || string_agg(coalesce(n, 0), ',' ORDER BY hour) || ']' FROM
  (SELECT DISTINCT Protocol FROM NetworkEvents WHERE TimeGenerated > $now - INTERVAL 7 DAY AND RawEventName = 'ConnectionCreate')
  CROSS JOIN (SELECT unnest(generate_series(date_trunc('hour', $now - INTERVAL 7 DAY), date_trunc('hour', $now) - INTERVAL 1 HOUR, INTERVAL 1 HOUR)) AS hour)
  LEFT JOIN (SELECT Protocol, date_trunc('hour', TimeGenerated) AS hour, count(*) AS n FROM NetworkEvents
             WHERE TimeGenerated > $now - INTERVAL 7 DAY AND RawEventName = 'ConnectionCreate' GROUP BY ALL) USING (Protocol, hour)
GROUP BY Protocol
