/**
 * Contract suites for ports: built-ins and plugins run them against the real thing. Each takes `{describe, it, expect}` of the test runner
 * and a function that makes the world to test in, which is called for each test.
 */
export {type FaultWorld, faultContract} from './contracts/fault.ts';
export {type HandlerWorld, handlerContract} from './contracts/handler.ts';
export {type HostWorld, hostContract} from './contracts/host.ts';
export {type MetricsWorld, metricsContract} from './contracts/metrics.ts';
export {type NotifierWorld, notifierContract} from './contracts/notifier.ts';
export {type PeerStoreWorld, peerStoreContract} from './contracts/peer-store.ts';
export {type ProbeWorld, probeContract} from './contracts/probe.ts';
export {type RouterWorld, routerContract} from './contracts/router.ts';
export type {Matchers, Runner} from './contracts/runner.ts';
export {type StateWorld, stateContract} from './contracts/state.ts';
export {type StoreWorld, storeContract} from './contracts/store.ts';
export {type VantageWorld, vantageContract} from './contracts/vantage.ts';
