/** Contract suites for ports: built-ins and plugins run them against the real thing. Each takes `{describe, it, expect}` of the test runner. */
export {};
