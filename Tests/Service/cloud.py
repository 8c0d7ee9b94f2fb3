# SPDX-License-Identifier: Apache-2.0
"""A real cloud for a test: `martlet init` in a new directory, a coordinator on a free port, and ways to talk to it.

    class MyTests(CloudTestCase):
        settings = {'lockout_attempts': 2}      # keys of the configuration
        engine = 'postgres'                     # or 'sqlite', the default

        def test_something(self):
            self.assertEqual(self.cloud.get('/identity/v3/users', token=self.cloud.token()).status, 200)

Each class has a cloud of its own. A test must not assume it is the only one in it, only that names it makes up are its own.
"""
import contextlib
import http.client
import io
import itertools
import json
import logging
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
_counter = itertools.count()


def programs():
    """The directory of the programs under test."""
    for candidate in (os.environ.get('MARTLET_BIN'), ROOT / '.build/release', ROOT / '.build/debug'):
        if candidate and (pathlib.Path(candidate) / 'martlet-coordinator').exists():
            return pathlib.Path(candidate)
    raise RuntimeError('build first, or name the programs: MARTLET_BIN=DIR')


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=15, what='the condition'):
    """Asks until it holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'{what} did not come about within {seconds} s')
        time.sleep(0.01)


def unique(prefix='test'):
    return f'{prefix}-{os.getpid()}-{next(_counter)}'


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'{self.status} {self.body[:300]!r}'


class Cloud:
    def __init__(self, settings=None, engine='sqlite', tls=False):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='martlet-service-'))
        self.process = None
        self.engine = engine
        self.programs = programs()
        self.port = free_port()
        self.scheme = 'https' if tls else 'http'
        settings = {'log_level': 'info', 'password_hash': 'bcrypt:4', **(settings or {})}
        arguments = ['init', '--directory', self.directory, '--listen', f'127.0.0.1:{self.port}', '--quiet']
        if tls:
            arguments.append('--tls')
        if engine == 'postgres':
            settings['database'] = self._make_postgres_database()
        for key, value in settings.items():
            arguments += ['--set', f'{key}={value}']
        done = self.martlet(*arguments, config=False)
        if done.returncode:
            raise RuntimeError(f'martlet init failed: {done.stderr}')
        self.credentials = self._read_openrc()

    # --- life ---

    def _make_postgres_database(self):
        server = os.environ.get('MARTLET_TEST_POSTGRES')
        if not server:
            raise unittest.SkipTest('MARTLET_TEST_POSTGRES names no server')
        name = f'service_{os.getpid()}_{next(_counter)}'
        psql = shutil.which('psql') or sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin/psql'))[-1]
        subprocess.run([psql, '-q', server, '-c', f'CREATE DATABASE {name}'], check=True)
        parts = urllib.parse.urlsplit(server)
        return urllib.parse.urlunsplit(parts._replace(path='/' + name)).replace('postgresql:/', 'postgresql://', 1) \
            if not parts.netloc else urllib.parse.urlunsplit(parts._replace(path='/' + name))

    @property
    def config_path(self):
        return self.directory / 'martlet.conf'

    @property
    def url(self):
        return f'{self.scheme}://127.0.0.1:{self.port}'

    @property
    def log_path(self):
        return self.directory / 'coordinator.log'

    def start(self, wait=True):
        environment = {k: v for k, v in os.environ.items() if not k.startswith('MARTLET_')}
        with open(self.directory / 'coordinator.out', 'ab') as out:
            self.process = subprocess.Popen(
                [self.programs / 'martlet-coordinator', '--config', self.config_path, '--log-file', self.log_path],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment)
        if wait:
            wait_until(self._is_healthy, 30, 'a healthy coordinator')
        return self

    def _is_healthy(self):
        if self.process.poll() is not None:
            raise RuntimeError(f'the coordinator ended with {self.process.returncode}: {self.log()[-2000:]}')
        try:
            return self.get('/healthcheck').status == 200
        except OSError:
            return False

    def stop(self, number=signal.SIGTERM):
        """Ends the coordinator; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(40)
        self.process = None
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def destroy(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def log(self):
        texts = [p.read_text(errors='replace') for p in (self.directory / 'coordinator.out', self.log_path) if p.exists()]
        return '\n'.join(texts)

    def log_lines(self):
        return [json.loads(line) for line in self.log_path.read_text().splitlines()] if self.log_path.exists() else []

    # --- talking to it ---

    def martlet(self, *words, config=True, stdin=None, environment=None):
        """Runs the martlet command on this cloud."""
        base = {k: v for k, v in os.environ.items() if not k.startswith('MARTLET_')}
        words = [str(word) for word in words] + (['--config', str(self.config_path)] if config else [])
        return subprocess.run([self.programs / 'martlet', *words], capture_output=True, text=True, input=stdin or '',
                              env={**base, **(environment or {})}, timeout=120)

    def _read_openrc(self):
        values = {}
        for line in (self.directory / 'openrc').read_text().splitlines():
            if line.startswith('export '):
                name, value = line[len('export '):].split('=', 1)
                values[name] = value.strip("'")
        return values

    @property
    def password(self):
        return self.credentials['OS_PASSWORD']

    def request(self, method, path, body=None, token=None, headers=None, timeout=30):
        parts = urllib.parse.urlsplit(path)
        headers = dict(headers or {})
        if token:
            headers['X-Auth-Token'] = token
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault('Content-Type', 'application/json')
        if self.scheme == 'https':
            context = ssl.create_default_context(cafile=self.credentials.get('OS_CACERT'))
            connection = http.client.HTTPSConnection('127.0.0.1', self.port, timeout=timeout, context=context)
        else:
            connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            target = parts.path + ('?' + parts.query if parts.query else '')
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, **more):
        return self.request('GET', path, **more)

    def post(self, path, body=None, **more):
        return self.request('POST', path, body, **more)

    def patch(self, path, body=None, **more):
        return self.request('PATCH', path, body, **more)

    def put(self, path, body=None, **more):
        return self.request('PUT', path, body, **more)

    def delete(self, path, **more):
        return self.request('DELETE', path, **more)

    def sign_in(self, identity, scope=None, **more):
        """POST /v3/auth/tokens; the answer as it is."""
        body = {'auth': {'identity': identity}}
        if scope is not None:
            body['auth']['scope'] = scope
        return self.post('/identity/v3/auth/tokens', body, **more)

    def password_identity(self, user='admin', password=None, domain='default'):
        return {'methods': ['password'], 'password': {'user': {
            'name': user, 'domain': {'id': domain}, 'password': self.password if password is None else password}}}

    PROJECT_ADMIN = {'project': {'name': 'admin', 'domain': {'id': 'default'}}}
    SYSTEM = {'system': {'all': True}}

    def token(self, user='admin', password=None, scope=PROJECT_ADMIN, domain='default'):
        answer = self.sign_in(self.password_identity(user, password, domain), scope)
        if answer.status != 201:
            raise AssertionError(f'sign-in of {user} failed: {answer}')
        return answer.headers['X-Subject-Token']

    def bare_environment(self, **more):
        """What a client needs besides who it is; `more` says that."""
        kept = ('OS_AUTH_URL', 'OS_IDENTITY_API_VERSION', 'OS_REGION_NAME', 'OS_CACERT')
        return {**{k: v for k, v in self.credentials.items() if k in kept}, **more}

    def openstack(self, *words, env=None):
        """OpenStack's own command line client, run inside this process; the administrator's unless `env` says who."""
        return run_openstack([str(word) for word in words], self.credentials if env is None else env, self.directory)

    def connection(self, **more):
        """An openstacksdk connection as the administrator."""
        import openstack
        values = {k[3:].lower(): v for k, v in self.credentials.items()}
        values.pop('identity_api_version', None)
        return openstack.connection.Connection(
            auth=dict(auth_url=values['auth_url'], username=values['username'], password=values['password'],
                      project_name=values['project_name'], user_domain_name='Default', project_domain_name='Default'),
            region_name=values['region_name'], verify=values.get('cacert', True), **more)


class ClientResult:
    """What a command of the client came to, as if it had been a process."""

    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr


def run_openstack(words, environment, home):
    import openstackclient.shell
    out, complaints = io.StringIO(), io.StringIO()
    before = dict(os.environ)
    handlers, level = logging.root.handlers[:], logging.root.level
    try:
        for name in [name for name in os.environ if name.startswith('OS_')]:
            del os.environ[name]
        os.environ.update({**environment, 'HOME': str(home)})
        logging.root.handlers[:] = []
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaints):
            try:
                code = openstackclient.shell.OpenStackShell().run(words)
            except SystemExit as end:
                code = end.code or 0
    finally:
        os.environ.clear()
        os.environ.update(before)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
    return ClientResult(code, out.getvalue(), complaints.getvalue())


class CloudTestCase(unittest.TestCase):
    settings = {}
    engine = 'sqlite'
    tls = False
    cloud: Cloud

    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud(cls.settings, cls.engine, cls.tls)
        cls.addClassCleanup(cls.cloud.destroy)
        cls.cloud.start()


def main():
    """Runs every test file beside this one (or those named) and ends with the counts."""
    names = sys.argv[1:]
    loader = unittest.TestLoader()
    directory = pathlib.Path(__file__).resolve().parent
    sys.path.insert(0, str(directory))
    if names:
        suite = loader.loadTestsFromNames([n if n.startswith('test_') else f'test_{n}' for n in names])
    else:
        suite = loader.discover(str(directory), 'test_*.py')
    result = unittest.runner.TextTestRunner(stream=sys.stdout, resultclass=PlainResult, verbosity=0).run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f'{result.passed} passed, {failed} failed, {len(result.skipped)} skipped')
    sys.exit(1 if failed else 0)


class PlainResult(unittest.TextTestResult):
    """One line a test."""
    passed = 0

    def startTest(self, test):
        unittest.TestResult.startTest(self, test)
        self.began = time.monotonic()

    def say(self, word, test, more=''):
        seconds = time.monotonic() - getattr(self, 'began', time.monotonic())
        self.stream.writeln(f'{word} {test.id()} ({seconds:.2f} s){more}')
        self.stream.flush()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self.passed += 1
        self.say('ok  ', test)

    def addFailure(self, test, err):
        unittest.TestResult.addFailure(self, test, err)
        self.say('FAIL', test)

    def addError(self, test, err):
        unittest.TestResult.addError(self, test, err)
        self.say('FAIL', test)

    def addSkip(self, test, reason):
        unittest.TestResult.addSkip(self, test, reason)
        self.say('skip', test, f': {reason}')

    def addSubTest(self, test, subtest, err):
        unittest.TestResult.addSubTest(self, test, subtest, err)
        if err is not None:
            self.say('FAIL', subtest)
