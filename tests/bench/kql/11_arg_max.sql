SELECT DeviceId, t, s.OSName, s.OSVersion, s.FirmwareVersion, s.HostName FROM (
  SELECT DeviceId, max(TimeGenerated) AS t, arg_max(struct_pack(OSName, OSVersion, FirmwareVersion, HostName), TimeGenerated) AS s
  FROM DeviceEvents WHERE RawEventName = 'SystemInformation' GROUP BY DeviceId)
