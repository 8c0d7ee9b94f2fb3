# SPDX-License-Identifier: Apache-2.0
"""What an operator does: set up, start, stop, look, back up, recover."""
import json
import os
import shutil
import signal
import stat
import subprocess
import time
import unittest

from cloud import Cloud, CloudTestCase, free_port, unique, wait_until


class OperationsTests(CloudTestCase):
    def test_secrets_are_readable_by_their_owner_alone(self):
        for name in ('openrc', 'clouds.yaml', 'data/secret.key', 'data/martlet.db'):
            mode = stat.S_IMODE(os.stat(self.cloud.directory / name).st_mode)
            self.assertEqual(mode & 0o077, 0, f'{name} has mode {mode:o}')

    def test_init_again_changes_nothing(self):
        before = {name: (self.cloud.directory / name).read_text() for name in ('openrc', 'martlet.conf', 'data/secret.key')}
        done = self.cloud.martlet('init', '--directory', self.cloud.directory, config=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name, text in before.items():
            self.assertEqual((self.cloud.directory / name).read_text(), text, name)
        self.cloud.token()

    def test_status_tells_that_it_is_healthy(self):
        done = self.cloud.martlet('status', '--json')
        self.assertEqual(done.returncode, 0, done.stderr)
        status = json.loads(done.stdout)
        self.assertEqual(status['coordinator'], 'healthy')
        self.assertGreaterEqual(status['counts']['users'], 1)

    def test_doctor_finds_nothing_wrong_here(self):
        done = self.cloud.martlet('doctor', '--json')
        errors = [f for f in json.loads(done.stdout) if f['level'] == 'error']
        self.assertEqual((done.returncode, errors), (0, []))

    def test_doctor_names_a_cure_for_what_is_wrong(self):
        os.chmod(self.cloud.directory / 'openrc', 0o644)
        try:
            done = self.cloud.martlet('doctor')
        finally:
            os.chmod(self.cloud.directory / 'openrc', 0o600)
        self.assertEqual(done.returncode, 1)
        self.assertIn('chmod o=', done.stdout)

    def test_every_answer_has_a_request_id_and_a_log_line(self):
        answer = self.cloud.get('/identity/v3')
        request_id = answer.headers['x-openstack-request-id']
        self.assertTrue(request_id.startswith('req-'), request_id)
        wait_until(lambda: any(line.get('request_id') == request_id for line in self.cloud.log_lines()), 5, 'its log line')

    def test_no_secret_is_logged(self):
        self.cloud.token()
        time.sleep(0.5)
        self.assertNotIn(self.cloud.password, self.cloud.log())

    def test_metrics_are_served(self):
        text = self.cloud.get('/metrics').body.decode()
        self.assertIn('# TYPE', text)

    def test_hangup_opens_the_log_anew(self):
        moved = self.cloud.log_path.with_suffix('.1')
        os.rename(self.cloud.log_path, moved)
        self.cloud.process.send_signal(signal.SIGHUP)
        wait_until(self.cloud.log_path.exists, 5, 'a new log file')
        self.cloud.get('/healthcheck')
        wait_until(lambda: self.cloud.log_path.stat().st_size > 0, 5, 'a line in the new log file')

    def test_a_second_coordinator_on_the_same_data_does_not_start(self):
        environment = {'MARTLET_LISTEN': f'127.0.0.1:{free_port()}', 'PATH': os.environ['PATH']}
        done = subprocess.run([self.cloud.programs / 'martlet-coordinator', '--config', self.cloud.config_path],
                              capture_output=True, text=True, timeout=20, env=environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('in use by process', done.stderr)

    def test_users_and_projects_from_the_command_line_reach_the_running_coordinator(self):
        user, project = unique('user'), unique('project')
        for words in (['project', 'create', project], ['user', 'create', user, '--password-stdin'],
                      ['role', 'add', 'member', '--user', user, '--project', project]):
            done = self.cloud.martlet(*words, stdin='first-Secret-1\n')
            self.assertEqual(done.returncode, 0, f'{words}: {done.stderr}')
        scope = {'project': {'name': project, 'domain': {'id': 'default'}}}
        wait_until(lambda: self.cloud.sign_in(self.cloud.password_identity(user, 'first-Secret-1'), scope).status == 201,
                   5, 'the sign-in of the new user')
        done = self.cloud.martlet('user', 'set-password', user, '--password-stdin', stdin='second-Secret-2\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: self.cloud.sign_in(self.cloud.password_identity(user, 'second-Secret-2')).status == 201, 5,
                   'the sign-in with the new password')
        self.assertEqual(self.cloud.sign_in(self.cloud.password_identity(user, 'first-Secret-1')).status, 401)
        listed = json.loads(self.cloud.martlet('user', 'list', '--json').stdout)
        self.assertIn(user, [entry['name'] for entry in listed])

    def test_messages_name_what_was_meant(self):
        for words, hint in ((['docter'], 'martlet doctor'), (['config', 'show', 'lisen'], 'listen'),
                            (['status', '--jsn'], '--json')):
            done = self.cloud.martlet(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(hint, done.stderr)

    def test_the_manual_is_current(self):
        page = (self.cloud.programs / 'martlet', 'manual')
        text = subprocess.run(page, capture_output=True, text=True).stdout
        here = __file__.rsplit('/Tests/', 1)[0]
        with open(f'{here}/packaging/man/martlet.1') as file:
            self.assertEqual(file.read(), text, 'run: martlet manual > packaging/man/martlet.1')


class LifeTests(unittest.TestCase):
    """Tests that stop and start; each has a cloud of its own."""

    def new_cloud(self, **more):
        cloud = Cloud(**more)
        self.addCleanup(cloud.destroy)
        return cloud

    def test_it_starts_at_once_and_ends_on_sigterm(self):
        cloud = self.new_cloud()
        began = time.monotonic()
        cloud.start()
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(cloud.stop(), 0)

    def test_a_key_that_does_not_exist_stops_it_with_a_hint(self):
        cloud = self.new_cloud()
        with open(cloud.config_path, 'a') as file:
            file.write('regoin = x\n')
        done = subprocess.run([cloud.programs / 'martlet-coordinator', '--config', cloud.config_path], capture_output=True,
                              text=True, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean 'region'", done.stderr)

    def test_records_and_tokens_outlive_a_restart(self):
        cloud = self.new_cloud().start()
        token = cloud.token()
        made = cloud.post('/identity/v3/projects', {'project': {'name': 'kept', 'domain_id': 'default'}}, token=token)
        self.assertEqual(made.status, 201, made)
        cloud.stop()
        cloud.start()
        path = f"/identity/v3/projects/{made.json['project']['id']}"
        self.assertEqual(cloud.get(path, token=token).status, 200)

    def test_backup_and_restore_bring_the_past_back(self):
        cloud = self.new_cloud().start()
        token = cloud.token()

        def make(name):
            answer = cloud.post('/identity/v3/projects', {'project': {'name': name, 'domain_id': 'default'}}, token=token)
            self.assertEqual(answer.status, 201, answer)
            return f"/identity/v3/projects/{answer.json['project']['id']}"
        first = make('before')
        backup = cloud.directory / 'backup.db'
        done = cloud.martlet('db', 'backup', backup)
        self.assertEqual(done.returncode, 0, done.stderr)
        second = make('after')
        refused = cloud.martlet('db', 'restore', backup)
        self.assertNotEqual(refused.returncode, 0, 'restored under a running coordinator')
        cloud.stop()
        done = cloud.martlet('db', 'restore', backup)
        self.assertEqual(done.returncode, 0, done.stderr)
        cloud.start()
        token = cloud.token()
        self.assertEqual(cloud.get(first, token=token).status, 200)
        self.assertEqual(cloud.get(second, token=token).status, 404)
        self.assertEqual(cloud.martlet('db', 'check').returncode, 0)

    def test_a_damaged_backup_is_refused_and_nothing_changes(self):
        cloud = self.new_cloud()
        damaged = cloud.directory / 'damaged.db'
        shutil.copy(cloud.directory / 'data/martlet.db', damaged)
        with open(damaged, 'r+b') as file:
            file.seek(0)
            file.write(b'this is not a database at all')
        self.assertNotEqual(cloud.martlet('db', 'restore', damaged).returncode, 0)
        cloud.start()
        cloud.token()

    def test_a_forgotten_password_is_reset_without_a_coordinator(self):
        cloud = self.new_cloud()
        done = cloud.martlet('admin', 'reset-password', '--password-stdin', stdin='a-new-Secret-9\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        cloud.start()
        self.assertEqual(cloud.sign_in(cloud.password_identity()).status, 401)
        cloud.token(password='a-new-Secret-9')

    def test_tls_serves_and_takes_up_a_new_certificate(self):
        cloud = self.new_cloud(tls=True).start()
        cloud.token()
        self.assertEqual(cloud.martlet('status').returncode, 0)


class PostgresTests(CloudTestCase):
    engine = 'postgres'

    def test_a_user_signs_in(self):
        self.cloud.token()

    def test_two_coordinators_share_a_cloud(self):
        second = Cloud.__new__(Cloud)
        second.__dict__.update(self.cloud.__dict__)
        second.port = free_port()
        second.directory = self.cloud.directory / 'second'
        os.mkdir(second.directory)
        config = self.cloud.config_path.read_text().replace(f':{self.cloud.port}', f':{second.port}')
        (second.directory / 'martlet.conf').write_text(config.replace('= data', f'= {self.cloud.directory}/data'))
        second.start()
        self.addCleanup(second.stop)
        token = self.cloud.token()
        user = unique('user')
        made = second.post('/identity/v3/users', {'user': {'name': user, 'password': 'Secret-1234'}}, token=token)
        self.assertEqual(made.status, 201, made)
        wait_until(lambda: self.cloud.sign_in(self.cloud.password_identity(user, 'Secret-1234')).status == 201, 5,
                   'the other coordinator knowing the user')
        self.assertEqual(self.cloud.delete(f"/identity/v3/auth/tokens", token=token,
                                           headers={'X-Subject-Token': token}).status, 204)
        wait_until(lambda: second.get('/identity/v3/users', token=token).status == 401, 5,
                   'the other coordinator knowing of the revocation')
