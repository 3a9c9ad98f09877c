import {describe, expect, it} from 'vitest';
import {parse, stringify} from 'yaml';
import {z} from 'zod';
import {hpaOf} from '../../../src/lib/capacity/scaling/hpa.ts';
import {SCALING_DEFAULTS, type ScalingRule} from '../../../src/lib/capacity/scaling/schedule.ts';

const RULE: ScalingRule = {...SCALING_DEFAULTS, perReplica: 25};
const TARGET = {deployment: 'ingest', namespace: 'metrics', metric: 'requests_per_second'};

/*
 * The structure of io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler in the OpenAPI v3 document of Kubernetes: required fields, types, the words that
 * are allowed, and what its validation adds: minReplicas at least 1 and not above maxReplicas, windows of 0 to 3600 s, periods of 1 to 1800 s. Strict, so
 * that a field that Kubernetes does not have fails.
 */
const int32 = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);
const rules = z.strictObject({
  stabilizationWindowSeconds: int32.min(0).max(3600).optional(),
  selectPolicy: z.enum(['Max', 'Min', 'Disabled']).optional(),
  policies: z.array(z.strictObject({type: z.enum(['Percent', 'Pods']), value: int32.min(1), periodSeconds: int32.min(1).max(1800)})).min(1),
});
const quantity = z.string().regex(/^[+-]?\d+(\.\d+)?(m|k|M|G|Ki|Mi|Gi)?$/);
const metric = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('Resource'),
    resource: z.strictObject({
      name: z.string(),
      target: z.strictObject({type: z.literal('Utilization'), averageUtilization: int32.min(1)}),
    }),
  }),
  z.strictObject({
    type: z.literal('Pods'),
    pods: z.strictObject({
      metric: z.strictObject({name: z.string().min(1), selector: z.object({}).optional()}),
      target: z.strictObject({type: z.literal('AverageValue'), averageValue: quantity}),
    }),
  }),
]);
const published = z
  .strictObject({
    apiVersion: z.literal('autoscaling/v2'),
    kind: z.literal('HorizontalPodAutoscaler'),
    metadata: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
        .max(253),
      namespace: z.string().max(63).optional(),
    }),
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({apiVersion: z.string(), kind: z.string().min(1), name: z.string().min(1)}),
      minReplicas: int32.min(1).optional(),
      maxReplicas: int32.min(1),
      metrics: z.array(metric).min(1),
      behavior: z.strictObject({scaleUp: rules.optional(), scaleDown: rules.optional()}).optional(),
    }),
  })
  .refine(({spec}) => spec.maxReplicas >= (spec.minReplicas ?? 1), 'maxReplicas must not be below minReplicas');

/* Half of the 25 that a replica serves is 12.5 = 12500m; 2x is 100 % more within a minute; 5 min are 300 s. */
const EXPECTED = `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: ingest
  namespace: metrics
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: ingest
  minReplicas: 100
  maxReplicas: 1000
  metrics:
    - type: Pods
      pods:
        metric:
          name: requests_per_second
        target:
          type: AverageValue
          averageValue: 12500m
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      selectPolicy: Max
      policies:
        - type: Percent
          value: 100
          periodSeconds: 60
    scaleDown:
      stabilizationWindowSeconds: 300
      selectPolicy: Max
      policies:
        - type: Percent
          value: 50
          periodSeconds: 60
`;

describe('hpaOf', () => {
  it('is a HorizontalPodAutoscaler of autoscaling/v2', () => {
    const made = stringify(hpaOf({min: 100, max: 1000}, RULE, TARGET));
    expect(made).toBe(EXPECTED);
    expect(published.parse(parse(made))).toEqual(hpaOf({min: 100, max: 1000}, RULE, TARGET));
  });

  it.each([
    ['cpu by share', {...TARGET, metric: 'cpu'}, RULE, {type: 'Resource', resource: {target: {averageUtilization: 50}}}],
    [
      'a margin that divides nothing evenly',
      {...TARGET, metric: 'cpu'},
      {...RULE, margin: 3},
      {resource: {target: {averageUtilization: 33}}},
    ],
    ['whole quantities', {...TARGET, namespace: null}, {...RULE, margin: 1}, {pods: {target: {averageValue: '25'}}}],
    ['thousandths', TARGET, {...RULE, perReplica: 0.002}, {pods: {target: {averageValue: '1m'}}}],
    ['what floating point makes a little less of', TARGET, {...RULE, perReplica: 1.14}, {pods: {target: {averageValue: '570m'}}}],
    ['many digits', TARGET, {...RULE, perReplica: 2e15}, {pods: {target: {averageValue: '1000000000000000'}}}],
  ])('%s fits the published structure', (_, target, rule, part) => {
    const made = hpaOf({min: 0, max: 0}, rule, target);
    expect(published.parse(parse(stringify(made)))).toMatchObject({spec: {minReplicas: 1, maxReplicas: 1, metrics: [part]}});
  });

  it('keeps a long stabilisation and a burst of 1 within what Kubernetes allows', () => {
    const made = hpaOf({min: 1, max: 2}, {...RULE, stabilisationMs: 7_200_000, burst: 1}, TARGET);
    expect(published.safeParse(made).success).toBe(true);
    expect(made.spec.behavior.scaleDown.stabilizationWindowSeconds).toBe(3600);
  });

  /* 0.0008 would be 1m in Kubernetes, a quarter more, and 0.0019 as 1m half of it. */
  it.each([1e-9, 0.0008, 0.0019, 1e17])('refuses a target of %s, of which Kubernetes would make another number', (target) => {
    expect(() => hpaOf({min: 1, max: 2}, {...RULE, perReplica: target, margin: 1}, TARGET)).toThrow(
      /^perReplica of ingest is too (small|large): a target of .* of requests_per_second for each pod/,
    );
  });

  it('refuses names that Kubernetes would refuse', () => {
    expect(() => hpaOf({min: 1, max: 2}, RULE, {...TARGET, deployment: 'Ingest\nkind: x'})).toThrow(/is no name of a Deployment/);
    expect(() => hpaOf({min: 1, max: 2}, RULE, {...TARGET, namespace: 'a.b'})).toThrow(/is no namespace/);
  });
});
