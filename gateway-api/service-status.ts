// What a Service's owner is told about its waypoint: whether it is enrolled, and whether its own address is served.

import { bindId } from './binds.ts';
import { condition, no, type ServiceStatus, type Verdict, yes } from './conditions.ts';
import type { Enrolment } from './enrolment.ts';
import { type BindScope, bindProblem } from './gateway-status.ts';

/** null: the Service is somebody else's to serve. */
export function serviceStatus(enrolment: Enrolment, scope: BindScope): ServiceStatus | null {
  if (enrolment.isElsewhere) return null;
  const conditions = [condition('waypoint.dev/WaypointBound', enrolment.verdict, enrolment.generation)];
  if (enrolment.vips.length > 0) {
    conditions.push(condition('waypoint.dev/AddressBound', addressVerdict(enrolment, scope), enrolment.generation));
  }
  return { kind: 'Service', key: enrolment.service, conditions };
}

function addressVerdict({ service, vips, ports }: Enrolment, scope: BindScope): Verdict {
  const ids = vips.flatMap((address) => ports.map(({ port }) => bindId(address, port)));
  const problems = ids.map((id) => bindProblem(id, `Service ${service}`, scope)).filter((problem) => problem !== null);
  if (problems.length === 0) return yes('Programmed', `Listening on ${ids.join(', ')}`);
  return no(problems[0]!.reason, problems.map(({ message }) => message).join('; '));
}
