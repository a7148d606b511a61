WITH pairs AS MATERIALIZED (SELECT Executable, DeviceId, count(*) AS n FROM ProcessEvents GROUP BY ALL),
  programs AS (SELECT Executable, sum(n)::BIGINT AS runs FROM pairs GROUP BY ALL ORDER BY runs DESC LIMIT 10)
SELECT Executable, runs, n FROM pairs JOIN programs USING (Executable)
QUALIFY row_number() OVER (PARTITION BY Executable ORDER BY n DESC) <= 3
