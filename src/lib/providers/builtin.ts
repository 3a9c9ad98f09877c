import {blackboxProviders} from './blackbox/provider.ts';
import {csvProviders} from './csv/provider.ts';
import type {Provider} from './define.ts';
import {dnsProviders} from './dns/provider.ts';
import {execFaultProvider} from './exec/fault-provider.ts';
import {execHostProvider} from './exec/host-provider.ts';
import {execProbeProvider} from './exec/probe-provider.ts';
import {execProviders} from './exec/provider.ts';
import {haproxyProviders} from './haproxy/provider.ts';
import {historyProviders} from './history/provider.ts';
import {httpProviders} from './http/provider.ts';
import {labProviders} from './lab/provider.ts';
import {patroniProviders} from './patroni/provider.ts';
import {postgresProviders} from './postgres/provider.ts';
import {prometheusProviders} from './prometheus/provider.ts';
import {redisProviders} from './redis/provider.ts';
import {signalProviders} from './signal/provider.ts';
import {tcpProviders} from './tcp/provider.ts';
import {tlsProviders} from './tls/provider.ts';
import {webhookProviders} from './webhook/provider.ts';

/** The providers that ship with regionctl. Their implementations are imported when they are first used. */
export const builtinProviders: readonly Provider[] = [
  ...httpProviders,
  ...tcpProviders,
  ...tlsProviders,
  ...dnsProviders,
  ...blackboxProviders,
  execProbeProvider,
  ...postgresProviders,
  ...redisProviders,
  ...patroniProviders,
  ...labProviders,
  ...haproxyProviders,
  ...execProviders,
  execHostProvider,
  execFaultProvider,
  ...signalProviders,
  ...webhookProviders,
  ...prometheusProviders,
  ...csvProviders,
  ...historyProviders,
];
