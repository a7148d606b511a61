/** What is known of vulnerabilities of a device or the fleet, as a file of VEX statements for others. */
import { Button, Menu, MenuItemLink, MenuList, MenuPopover, MenuTrigger } from '@fluentui/react-components';
import { ArrowDownload20Regular } from '@fluentui/react-icons';
import { buildUrl } from '@/api/client';

const kFormats = [
  ['openvex', 'OpenVEX 0.2', 'openvex.json'],
  ['cyclonedx', 'CycloneDX 1.6 with VEX', 'cdx.json'],
  ['csaf', 'CSAF 2.0 VEX', 'csaf.json'],
] as const;

/** Only where there is something to state: the server has no file of nothing. */
export function VexExport({ deviceId }: { deviceId?: string }) {
  return (
    <Menu>
      <MenuTrigger disableButtonEnhancement>
        <Button size="small" icon={<ArrowDownload20Regular />}>
          Export VEX
        </Button>
      </MenuTrigger>
      <MenuPopover>
        <MenuList>
          {kFormats.map(([format, name, ending]) => (
            <MenuItemLink
              key={format}
              href={buildUrl('/vulnerability-statements', {}, { format, device: deviceId })}
              download={`${deviceId ?? 'fleet'}.${ending}`}
            >
              {name}
            </MenuItemLink>
          ))}
        </MenuList>
      </MenuPopover>
    </Menu>
  );
}
