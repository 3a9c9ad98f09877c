import {describe, expect, it} from 'vitest';
import type {HealthDocument} from '../../src/lib/health/document.ts';
import {healthJunit, healthNagios, healthPrometheus} from '../../src/lib/output/health-machine.ts';
import {health} from './sample-documents.ts';

/** Names and sentences that try to break out of each format. */
const hostile: HealthDocument = {
  ...health,
  reason: 'a | b\nc',
  regions: health.regions.map((region) => ({...region, region: `<${region.region}>"'&=\\`, reason: 'x "y" <z> & \u0007\n|'})),
};

describe('nagios', () => {
  it('is one line: state, sentence, performance data', () => {
    expect(healthNagios(health)).toMatchInlineSnapshot(
      `"REGIONCTL CRITICAL - lab: eu-west unhealthy: app: 127.0.0.1:21001 refused the connection, 2 times in a row; also postgres (wrong-role) (2 of 3 endpoints) | 'us-east/app'=12ms;;;0 'us-east/postgres'=701.23ms;;;0 'eu-west/app'=U 'eu-west/postgres'=3ms;;;0 'eu-west/front'=U 'ap/app'=U"`,
    );
  });

  it('lets neither a bar nor a line break out of a sentence', () => {
    const line = healthNagios(hostile);
    expect(line.split('\n')).toHaveLength(1);
    expect(line.split('|')).toHaveLength(2);
    expect(line.match(/'/g)?.length).toBe(2 * 6);
  });

  it.each([
    ['healthy', 'OK'],
    ['degraded', 'WARNING'],
    ['recovering', 'WARNING'],
    ['unhealthy', 'CRITICAL'],
    ['unknown', 'UNKNOWN'],
  ] as const)('%s is %s', (verdict, word) => {
    expect(healthNagios({...health, verdict})).toMatch(new RegExp(`^REGIONCTL ${word} - `));
  });
});

describe('prometheus', () => {
  it('is as written', () => {
    expect(healthPrometheus(health)).toMatchInlineSnapshot(`
      "# HELP regionctl_region_verdict Verdict of a region: 1 for the one that holds, 0 for the others.
      # TYPE regionctl_region_verdict gauge
      regionctl_region_verdict{fleet="lab",region="us-east",verdict="healthy"} 0
      regionctl_region_verdict{fleet="lab",region="us-east",verdict="degraded"} 1
      regionctl_region_verdict{fleet="lab",region="us-east",verdict="unhealthy"} 0
      regionctl_region_verdict{fleet="lab",region="us-east",verdict="recovering"} 0
      regionctl_region_verdict{fleet="lab",region="us-east",verdict="unknown"} 0
      regionctl_region_verdict{fleet="lab",region="eu-west",verdict="healthy"} 0
      regionctl_region_verdict{fleet="lab",region="eu-west",verdict="degraded"} 0
      regionctl_region_verdict{fleet="lab",region="eu-west",verdict="unhealthy"} 1
      regionctl_region_verdict{fleet="lab",region="eu-west",verdict="recovering"} 0
      regionctl_region_verdict{fleet="lab",region="eu-west",verdict="unknown"} 0
      regionctl_region_verdict{fleet="lab",region="ap",verdict="healthy"} 0
      regionctl_region_verdict{fleet="lab",region="ap",verdict="degraded"} 0
      regionctl_region_verdict{fleet="lab",region="ap",verdict="unhealthy"} 0
      regionctl_region_verdict{fleet="lab",region="ap",verdict="recovering"} 0
      regionctl_region_verdict{fleet="lab",region="ap",verdict="unknown"} 1
      # HELP regionctl_region_since_timestamp_seconds When the present verdict of a region began.
      # TYPE regionctl_region_since_timestamp_seconds gauge
      regionctl_region_since_timestamp_seconds{fleet="lab",region="us-east"} 1795255110
      regionctl_region_since_timestamp_seconds{fleet="lab",region="eu-west"} 1795255110
      regionctl_region_since_timestamp_seconds{fleet="lab",region="ap"} 1795255110
      # HELP regionctl_endpoint_up Whether an endpoint answered as expected; absent when that is unknown.
      # TYPE regionctl_endpoint_up gauge
      regionctl_endpoint_up{fleet="lab",region="us-east",endpoint="app",probe="http"} 1
      regionctl_endpoint_up{fleet="lab",region="us-east",endpoint="postgres",probe="http"} 1
      regionctl_endpoint_up{fleet="lab",region="eu-west",endpoint="app",probe="http"} 0
      regionctl_endpoint_up{fleet="lab",region="eu-west",endpoint="postgres",probe="http"} 0
      # HELP regionctl_endpoint_latency_seconds Latency of the last answer of an endpoint.
      # TYPE regionctl_endpoint_latency_seconds gauge
      regionctl_endpoint_latency_seconds{fleet="lab",region="us-east",endpoint="app",probe="http"} 0.012
      regionctl_endpoint_latency_seconds{fleet="lab",region="us-east",endpoint="postgres",probe="http"} 0.70123
      regionctl_endpoint_latency_seconds{fleet="lab",region="eu-west",endpoint="postgres",probe="http"} 0.003
      # HELP regionctl_health_check_timestamp_seconds When the fleet was checked.
      # TYPE regionctl_health_check_timestamp_seconds gauge
      regionctl_health_check_timestamp_seconds{fleet="lab"} 1795255200.04
      "
    `);
  });

  it('keeps to the line format', () => {
    for (const line of healthPrometheus(hostile).trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \S+ .+|[a-z_]+\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\} [0-9.e+-]+)$/);
    }
  });

  it('has no sample where nothing is known', () => {
    const unknown = healthPrometheus(health)
      .split('\n')
      .filter((line) => line.includes('region="ap"') && !line.startsWith('regionctl_region'));
    expect(unknown).toEqual([]);
  });
});

describe('junit', () => {
  it('is as written', () => {
    expect(healthJunit(health)).toMatchInlineSnapshot(`
      "<?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="regionctl health lab" tests="9" failures="5" errors="3">
        <testsuite name="us-east" tests="3" failures="2" errors="0" timestamp="2026-11-21T10:00:00.040Z">
          <testcase classname="us-east" name="region"><failure type="slow" message="degraded: postgres: answered in 701 ms, slow above 500 ms (1 of 2 endpoints)"/></testcase>
          <testcase classname="us-east" name="app" time="0.012"/>
          <testcase classname="us-east" name="postgres" time="0.70123"><failure type="slow" message="degraded: answered in 701 ms, slow above 500 ms"/></testcase>
        </testsuite>
        <testsuite name="eu-west" tests="4" failures="3" errors="1" timestamp="2026-11-21T10:00:00.040Z">
          <testcase classname="eu-west" name="region"><failure type="refused" message="unhealthy: app: 127.0.0.1:21001 refused the connection, 2 times in a row; also postgres (wrong-role) (2 of 3 endpoints)"/></testcase>
          <testcase classname="eu-west" name="app"><failure type="refused" message="unhealthy: 127.0.0.1:21001 refused the connection, 2 times in a row"/></testcase>
          <testcase classname="eu-west" name="postgres" time="0.003"><failure type="wrong-role" message="unhealthy: the database is a standby, expected a primary that accepts writes, and this sentence goes on"/></testcase>
          <testcase classname="eu-west" name="front"><error type="observer-overloaded" message="unknown: this process stood still"/></testcase>
        </testsuite>
        <testsuite name="ap" tests="2" failures="0" errors="2" timestamp="2026-11-21T10:00:00.040Z">
          <testcase classname="ap" name="region"><error type="observer-overloaded" message="unknown: app: this process stood still (1 of 1 endpoint)"/></testcase>
          <testcase classname="ap" name="app"><error type="observer-overloaded" message="unknown: this process stood still"/></testcase>
        </testsuite>
      </testsuites>
      "
    `);
  });

  it('escapes what XML does not allow', () => {
    const xml = healthJunit(hostile);
    expect(xml).toContain('x &quot;y&quot; &lt;z&gt; &amp; &#10;|');
    expect(xml).not.toContain('\u0007');
  });
});
