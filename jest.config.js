'use strict'

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/__test__/**/*.spec.ts'],
  // TypeScript first: the tests run the sources, not what was compiled from them.
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        // es2022 keeps class fields and private names as they are, so that the tests run what users run.
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Copies of packages are there, which the module map would take for duplicates.
  modulePathIgnorePatterns: ['<rootDir>/target/', '<rootDir>/.build/'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/target/', '<rootDir>/.build/'],
  watchPathIgnorePatterns: ['<rootDir>/target/', '<rootDir>/.build/'],
  testTimeout: 20_000,
  maxWorkers: 2,
}
