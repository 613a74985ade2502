// GatewayClass, gateway.networking.k8s.io/v1.
import { resource } from './metadata.ts';
import * as names from './names.ts';
import { anything, object, type Schema } from './schema.ts';

export const gatewayClass: Schema = resource(
  {
    spec: object(
      {
        controllerName: names.controllerName,
        parametersRef: object(
          { group: names.group, kind: names.kind, name: names.objectName, namespace: names.namespace },
          { required: ['group', 'kind', 'name'] },
        ),
        description: { type: 'string', maxLength: 64 },
      },
      { required: ['controllerName'] },
    ),
    status: anything,
  },
  { name: names.dnsSubdomain, required: ['spec'] },
);
