/** Every kind of fault that the lab knows, with what it does. The one list: the lab, its provider and the command line read it. */
export const LAB_FAULT_KINDS = {
  lose: 'the region is gone: no path in or out, every process killed',
  kill: 'every process of the region is killed; its paths stay open',
  database: "the region's database is killed; its service, its agent and its paths go on",
  service: "the region's order service is killed; its database goes on",
  freeze: 'every process of the region is stopped where it is; heal lets it go on',
  partition: 'no path in or out, or one way only; its processes go on',
  latency: 'every path in and out takes longer',
  bandwidth: 'what the region sends to others is throttled',
  errors: "the region's service answers a share of its requests with HTTP 500",
  'disk-full': "the region's database cannot write any more, and goes down with its next write",
  skew: "the clocks of the region's database and service are wrong; both are restarted",
  router: 'the front door is lost: it refuses connections, or takes them and never answers',
} as const;

export type LabFaultKind = keyof typeof LAB_FAULT_KINDS;
