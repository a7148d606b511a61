SELECT DeviceId, Mask, count(*) FROM FileEvents WHERE contains(lower(Path), '/etc/ssh/file-12') GROUP BY ALL
