import {usageError} from '../../errors.ts';
import type {ScalingRule, Schedule} from './schedule.ts';

/** What is scaled, and by which metric. */
export type HpaTarget = {
  /** Name of the Deployment. */
  readonly deployment: string;
  readonly namespace: string | null;
  /** `cpu` = the use of the CPU by share of what is requested; else the name of a metric that each pod has, averaged over the pods. */
  readonly metric: string;
};

/** A HorizontalPodAutoscaler of autoscaling/v2, as far as one is printed: its fields as Kubernetes documents them. */
export type Hpa = {
  readonly apiVersion: 'autoscaling/v2';
  readonly kind: 'HorizontalPodAutoscaler';
  readonly metadata: {readonly name: string; readonly namespace?: string};
  readonly spec: {
    readonly scaleTargetRef: {readonly apiVersion: 'apps/v1'; readonly kind: 'Deployment'; readonly name: string};
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly HpaMetric[];
    readonly behavior: {readonly scaleUp: HpaRules; readonly scaleDown: HpaRules};
  };
};

type HpaMetric =
  | {
      readonly type: 'Resource';
      readonly resource: {readonly name: 'cpu'; readonly target: {readonly type: 'Utilization'; readonly averageUtilization: number}};
    }
  | {
      readonly type: 'Pods';
      readonly pods: {
        readonly metric: {readonly name: string};
        readonly target: {readonly type: 'AverageValue'; readonly averageValue: string};
      };
    };

type HpaRules = {
  readonly stabilizationWindowSeconds: number;
  readonly selectPolicy: 'Max';
  readonly policies: readonly {readonly type: 'Percent'; readonly value: number; readonly periodSeconds: number}[];
};

/** Names of objects: a DNS subdomain (RFC 1123), as Kubernetes checks it. */
const OBJECT_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAMESPACE = /^(?=.{1,63}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** Kubernetes allows an hour at most. */
const LONGEST_WINDOW_S = 3600;
const POLICY_S = 60;

/**
 * The autoscaler of a schedule: its bounds; each pod used by 1 / margin of what it can; upwards at once and by `burst` times within a minute, downwards after
 * the stabilisation and by half a minute at most. Throws a usage error for names that Kubernetes would refuse, and for a target that it cannot count.
 */
export function hpaOf({min, max}: Pick<Schedule, 'min' | 'max'>, rule: ScalingRule, {deployment, namespace, metric}: HpaTarget): Hpa {
  if (!OBJECT_NAME.test(deployment))
    throw usageError(`"${deployment}" is no name of a Deployment: lower case letters, digits, - and . (at most 253)`);
  if (namespace !== null && !NAMESPACE.test(namespace))
    throw usageError(`"${namespace}" is no namespace: lower case letters, digits and - (at most 63)`);
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: {name: deployment, ...(namespace === null ? {} : {namespace})},
    spec: {
      scaleTargetRef: {apiVersion: 'apps/v1', kind: 'Deployment', name: deployment},
      minReplicas: Math.max(1, min),
      maxReplicas: Math.max(1, max),
      metrics: [metricOf(rule, metric, deployment)],
      behavior: {
        scaleUp: {stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [percent(Math.max(1, Math.ceil((rule.burst - 1) * 100)))]},
        scaleDown: {
          stabilizationWindowSeconds: Math.min(LONGEST_WINDOW_S, Math.round(rule.stabilisationMs / 1000)),
          ...{selectPolicy: 'Max', policies: [percent(50)]},
        },
      },
    },
  };
}

const percent = (value: number) => ({type: 'Percent' as const, value, periodSeconds: POLICY_S});

function metricOf({perReplica, margin}: ScalingRule, metric: string, deployment: string): HpaMetric {
  if (metric === 'cpu') {
    const averageUtilization = Math.max(1, Math.floor(100 / margin));
    return {type: 'Resource', resource: {name: 'cpu', target: {type: 'Utilization', averageUtilization}}};
  }
  const averageValue = quantity(perReplica / margin);
  if (averageValue === null)
    throw usageError(
      `perReplica of ${deployment} is too ${perReplica > 1 ? 'large' : 'small'}: a target of ${perReplica / margin} of ${metric} for each pod (perReplica ${perReplica} by margin ${margin}) cannot be said to Kubernetes, which counts in thousandths`,
      {suggestions: ['Give the metric, and perReplica with it, in another unit, such as milliseconds instead of seconds.']},
    );
  return {type: 'Pods', pods: {metric: {name: metric}, target: {type: 'AverageValue', averageValue}}};
}

/** Kubernetes counts in thousandths, up to the largest int64 (9.22e18); rounding down may make a target smaller by so much, no more. */
const [MOST_THOUSANDTHS, MOST_OFF] = [9.2e18, 0.01];

/**
 * A quantity of Kubernetes: whole, or in thousandths (`12500m` = 12.5), rounded down, since a lower target is the safer one. null = this cannot say the value, such
 * as 0.0004, of which Kubernetes would make another number.
 */
function quantity(value: number): string | null {
  // 0.57 * 1000 is 569.99… in floating point.
  const thousandths = Math.floor(value * 1000 * (1 + 4 * Number.EPSILON));
  if (thousandths > MOST_THOUSANDTHS || thousandths < value * 1000 * (1 - MOST_OFF)) return null;
  if (Number.isInteger(value)) return BigInt(value).toString();
  return thousandths % 1000 === 0 ? String(thousandths / 1000) : `${BigInt(thousandths)}m`;
}
