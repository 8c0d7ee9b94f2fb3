# SPDX-License-Identifier: Apache-2.0
"""The real `openstack` command against a real coordinator: everything identity offers, and every way to sign in."""
import base64
import hashlib
import hmac
import json
import struct
import time
import unittest

from cloud import Cloud


def one_time_code(secret, step):
    """RFC 6238, written out here so that the test does not trust the code it tests."""
    digest = hmac.new(base64.b32decode(secret), struct.pack('>Q', step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return '%06d' % ((struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000)


class OpenStackClient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud()
        cls.addClassCleanup(cls.cloud.destroy)
        cls.cloud.start()

    # ---- helpers

    def run_client(self, *words, env=None, fails=False):
        """Runs `openstack WORDS`; returns its JSON, or its error text when it must fail."""
        result = self.cloud.openstack(*words, env=env)
        if fails:
            self.assertNotEqual(result.returncode, 0, f'openstack {" ".join(words)} should have failed')
            return result.stderr
        self.assertEqual(result.returncode, 0, f'openstack {" ".join(words)}:\n{result.stderr}')
        return result.stdout

    def ask(self, method, path, body=None, token=None, headers=None):
        """One request; its status, its JSON and its headers."""
        answer = self.cloud.request(method, path, body, token=token, headers=headers)
        return answer.status, answer.json if answer.body else None, answer.headers

    def show(self, *words, env=None):
        return json.loads(self.run_client(*words, '-f', 'json', env=env))

    def do(self, *words, env=None):
        self.run_client(*words, env=env)

    def refuse(self, *words, env=None):
        return self.run_client(*words, env=env, fails=True)

    def names(self, *words):
        return {row['Name'] for row in self.show(*words)}

    def as_user(self, user, password, project=None, **more):
        """Environment of one user, nothing left of the administrator's."""
        env = {'OS_USERNAME': user, 'OS_PASSWORD': password, 'OS_USER_DOMAIN_NAME': 'Default', **more}
        if project:
            env.update(OS_PROJECT_NAME=project, OS_PROJECT_DOMAIN_NAME='Default')
        return self.cloud.bare_environment(**env)

    def person(self, name, *roles, project=None):
        self.do('user', 'create', '--password', f'{name}-secret', name)
        if project:
            for role in roles:
                self.do('role', 'add', '--user', name, '--project', project, role)
        return self.as_user(name, f'{name}-secret', project)

    # ---- tests

    def test_token_and_catalog(self):
        token = self.show('token', 'issue')
        self.assertEqual(set(token), {'expires', 'id', 'project_id', 'user_id'})
        self.assertLess(len(token['id']), 256)
        catalog = self.show('catalog', 'list')
        identity = next(row for row in catalog if row['Type'] == 'identity')
        self.assertEqual({e['interface'] for e in identity['Endpoints']}, {'public', 'internal', 'admin'})
        self.assertEqual(self.show('catalog', 'show', 'identity')['type'], 'identity')
        self.do('token', 'revoke', token['id'])
        self.assertIn('404', self.refuse('project', 'list', env=self.cloud.bare_environment(
            OS_AUTH_TYPE='token', OS_TOKEN=token['id'], OS_PROJECT_NAME='admin', OS_PROJECT_DOMAIN_NAME='Default')))

    def test_domain(self):
        created = self.show('domain', 'create', '--description', 'of the north', 'north')
        self.assertEqual((created['name'], created['enabled']), ('north', True))
        self.assertIn('409', self.refuse('domain', 'create', 'north'))
        self.do('domain', 'set', '--name', 'far-north', '--description', 'colder', 'north')
        shown = self.show('domain', 'show', 'far-north')
        self.assertEqual((shown['id'], shown['description']), (created['id'], 'colder'))
        self.assertIn('far-north', self.names('domain', 'list'))
        self.assertIn('403', self.refuse('domain', 'delete', 'far-north'))
        self.do('domain', 'set', '--disable', 'far-north')
        self.do('domain', 'delete', 'far-north')
        self.assertNotIn('far-north', self.names('domain', 'list'))

    def test_project_tree_and_tags(self):
        top = self.show('project', 'create', '--description', 'the top', '--tag', 'red', 'tree-top')
        child = self.show('project', 'create', '--parent', 'tree-top', 'tree-child')
        self.assertEqual(child['parent_id'], top['id'])
        self.assertIn('409', self.refuse('project', 'create', 'tree-top'))
        self.do('project', 'set', '--name', 'tree-crown', '--description', 'renamed', '--tag', 'green', 'tree-top')
        shown = self.show('project', 'show', 'tree-crown')
        self.assertEqual(sorted(shown['tags']), ['green', 'red'])
        self.assertEqual(self.names('project', 'list', '--tags', 'green'), {'tree-crown'})
        self.assertIn(child['id'], json.dumps(self.show('project', 'show', '--children', 'tree-crown')))
        self.assertIn(top['id'], json.dumps(self.show('project', 'show', '--parents', 'tree-child')))
        self.assertIn('403', self.refuse('project', 'delete', 'tree-crown'))
        self.do('project', 'delete', 'tree-child')
        self.do('project', 'delete', 'tree-crown')

    def test_user_and_group(self):
        user = self.show('user', 'create', '--password', 'first-secret', '--email', 'ada@example.org', 'ada')
        self.assertEqual((user['name'], user['email'], user['domain_id']), ('ada', 'ada@example.org', 'default'))
        self.assertNotIn('first-secret', json.dumps(user))
        self.do('user', 'set', '--description', 'counts', '--email', 'countess@example.org', 'ada')
        self.assertEqual(self.show('user', 'show', 'ada')['description'], 'counts')
        self.do('group', 'create', '--description', 'of engines', 'engineers')
        self.do('group', 'add', 'user', 'engineers', 'ada')
        self.run_client('group', 'contains', 'user', 'engineers', 'ada')
        self.assertEqual(self.names('user', 'list', '--group', 'engineers'), {'ada'})
        self.assertEqual(self.names('group', 'list', '--user', 'ada'), {'engineers'})
        self.do('group', 'set', '--name', 'makers', 'engineers')
        self.do('group', 'remove', 'user', 'makers', 'ada')
        self.assertEqual(self.names('user', 'list', '--group', 'makers'), set())
        own = self.as_user('ada', 'first-secret')
        self.do('user', 'password', 'set', '--original-password', 'first-secret', '--password', 'second-secret', env=own)
        self.assertIn('401', self.refuse('token', 'issue', env=own))
        self.show('token', 'issue', env=self.as_user('ada', 'second-secret'))
        self.do('user', 'set', '--disable', 'ada')
        self.assertIn('401', self.refuse('token', 'issue', env=self.as_user('ada', 'second-secret')))
        self.do('group', 'delete', 'makers')
        self.do('user', 'delete', 'ada')
        self.assertIn('no user', self.refuse('user', 'show', 'ada').lower())

    def test_role_and_assignment(self):
        self.do('project', 'create', 'stage')
        env = self.person('bob', project=None)
        bob_on_stage = self.as_user('bob', 'bob-secret', 'stage')
        self.assertIn('401', self.refuse('token', 'issue', env=bob_on_stage))
        self.show('role', 'create', '--description', 'lights the stage', 'lighter')
        self.do('role', 'set', '--name', 'illuminator', 'lighter')
        self.assertEqual(self.show('role', 'show', 'illuminator')['description'], 'lights the stage')
        self.do('role', 'add', '--user', 'bob', '--project', 'stage', 'illuminator')
        token = self.show('token', 'issue', env=bob_on_stage)
        rows = self.show('role', 'assignment', 'list', '--user', 'bob', '--names')
        self.assertEqual([(r['Role'], r['User'], r['Project']) for r in rows], [('illuminator', 'bob@Default', 'stage@Default')])
        self.do('implied', 'role', 'create', 'illuminator', '--implied-role', 'reader')
        effective = self.show('role', 'assignment', 'list', '--user', 'bob', '--effective', '--names')
        self.assertEqual({r['Role'] for r in effective}, {'illuminator', 'reader'})
        self.do('implied', 'role', 'delete', 'illuminator', '--implied-role', 'reader')
        self.do('role', 'remove', '--user', 'bob', '--project', 'stage', 'illuminator')
        self.assertIn('401', self.refuse('token', 'issue', env=bob_on_stage))
        self.assertIn('404', self.refuse('project', 'list', env=self.cloud.bare_environment(
            OS_AUTH_TYPE='v3token', OS_TOKEN=token['id'])), 'the token ended with the role')
        self.do('role', 'add', '--user', 'bob', '--domain', 'default', '--inherited', 'member')
        self.show('token', 'issue', env=bob_on_stage)
        self.do('role', 'add', '--user', 'bob', '--system', 'all', 'reader')
        self.show('token', 'issue', env=self.as_user('bob', 'bob-secret', OS_SYSTEM_SCOPE='all'))
        self.show('token', 'issue', env=env)
        self.do('role', 'delete', 'illuminator')

    def test_application_credential(self):
        self.do('project', 'create', 'robots')
        env = self.person('carol', 'member', project='robots')
        made = self.show('application', 'credential', 'create', '--secret', 'a-very-long-secret-of-carol', '--role', 'member',
                         '--description', 'for the robot', 'robot', env=env)
        self.assertEqual(made['Secret'], 'a-very-long-secret-of-carol')
        self.assertEqual(self.names('application', 'credential', 'list', '--user', 'carol'), {'robot'})
        shown = self.show('application', 'credential', 'show', 'robot', env=env)
        self.assertNotIn('a-very-long-secret', json.dumps(shown))
        robot = self.cloud.bare_environment(OS_AUTH_TYPE='v3applicationcredential', OS_APPLICATION_CREDENTIAL_ID=made['ID'],
                                            OS_APPLICATION_CREDENTIAL_SECRET='a-very-long-secret-of-carol')
        self.assertEqual(self.show('token', 'issue', env=robot)['project_id'], made['Project ID'])
        ruled = self.show('application', 'credential', 'create', '--access-rules', json.dumps(
            [{'service': 'identity', 'method': 'GET', 'path': '/v3/auth/projects'}]), 'ruled', env=env)
        limited = self.cloud.bare_environment(
            OS_AUTH_TYPE='v3applicationcredential', OS_APPLICATION_CREDENTIAL_ID=ruled['ID'],
            OS_APPLICATION_CREDENTIAL_SECRET=ruled['Secret'])
        token = self.show('token', 'issue', env=limited)['id']
        status, body, _ = self.ask('GET', '/identity/v3/auth/projects', token=token)
        self.assertEqual((status, [p['name'] for p in body['projects']]), (200, ['robots']))
        status, body, _ = self.ask('GET', '/identity/v3/auth/catalog', token=token)
        self.assertEqual(status, 403)
        self.do('application', 'credential', 'delete', 'robot', env=env)
        self.assertIn('401', self.refuse('token', 'issue', env=robot))

    def test_credential_and_ec2(self):
        made = self.show('credential', 'create', '--type', 'cert', 'admin', 'some certificate')
        self.assertEqual(self.show('credential', 'show', made['id'])['blob'], 'some certificate')
        self.do('credential', 'set', '--user', 'admin', '--type', 'cert', '--data', 'another', made['id'])
        self.assertEqual(self.show('credential', 'show', made['id'])['blob'], 'another')
        self.assertIn(made['id'], {row['ID'] for row in self.show('credential', 'list')})
        self.do('credential', 'delete', made['id'])
        key = self.show('ec2', 'credentials', 'create')
        self.assertEqual(self.show('ec2', 'credentials', 'show', key['access'])['secret'], key['secret'])
        self.assertIn(key['access'], {row['Access'] for row in self.show('ec2', 'credentials', 'list')})
        params = {'AWSAccessKeyId': key['access'], 'Action': 'Test', 'SignatureMethod': 'HmacSHA256', 'SignatureVersion': '2',
                  'Timestamp': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}
        from urllib.parse import quote
        text = 'GET\nec2.example.org\n/\n' + '&'.join(
            f'{quote(k, safe="-_~")}={quote(v, safe="-_~")}' for k, v in sorted(params.items()))
        signature = base64.b64encode(hmac.new(key['secret'].encode(), text.encode(), hashlib.sha256).digest()).decode()
        body = {'credentials': {'access': key['access'], 'signature': signature, 'host': 'ec2.example.org', 'verb': 'GET',
                                'path': '/', 'params': params}}
        status, answer, headers = self.ask('POST', '/identity/v3/ec2tokens', token=self.cloud.token(), body=body)
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer['token']['project']['name'], 'admin')
        body['credentials']['signature'] = base64.b64encode(b'x' * 32).decode()
        self.assertEqual(self.ask('POST', '/identity/v3/ec2tokens', token=self.cloud.token(), body=body)[0], 401)
        to_sign = base64.urlsafe_b64encode(b'GET\n\n\nThu, 01 Jan 2026 00:00:00 GMT\n/bucket').decode()
        signature = base64.b64encode(hmac.new(key['secret'].encode(), base64.urlsafe_b64decode(to_sign), hashlib.sha1).digest())
        status, answer, _ = self.ask('POST', '/identity/v3/s3tokens', token=self.cloud.token(), body={'credentials': {
            'access': key['access'], 'signature': signature.decode(), 'token': to_sign}})
        self.assertEqual(status, 200, answer)
        self.do('ec2', 'credentials', 'delete', key['access'])

    def test_trust(self):
        self.do('project', 'create', 'delegated')
        trustor = self.person('dora', 'member', project='delegated')
        self.person('emil')
        # By id: only administrators may look these up by name.
        dora, emil = (self.show('user', 'show', name)['id'] for name in ('dora', 'emil'))
        project = self.show('project', 'show', 'delegated')['id']
        member = self.show('role', 'show', 'member')['id']
        made = self.show('trust', 'create', '--project', project, '--role', member, '--impersonate', dora, emil, env=trustor)
        made = {name.lower(): value for name, value in made.items()}
        self.assertTrue(made.get('impersonation', made.get('is_impersonation')), made)
        self.assertIn(made['id'], json.dumps(self.show('trust', 'show', made['id'], env=trustor)))
        self.assertIn(made['id'], {row['ID'] for row in self.show('trust', 'list')})
        emil = self.as_user('emil', 'emil-secret', OS_TRUST_ID=made['id'])
        token = self.show('token', 'issue', env=emil)
        self.assertEqual(token['user_id'], dora, 'an impersonating trust shows the trustor')
        self.do('trust', 'delete', made['id'], env=trustor)
        self.assertIn('401', self.refuse('token', 'issue', env=emil))

    def test_limits(self):
        self.do('service', 'create', '--name', 'store', 'limits-test')
        self.do('project', 'create', 'bounded')
        registered = self.show('registered', 'limit', 'create', '--service', 'store', '--default-limit', '10', 'shelves')
        self.assertEqual(registered['default_limit'], 10)
        self.assertIn('409', self.refuse('registered', 'limit', 'create', '--service', 'store', '--default-limit', '1', 'shelves'))
        limit = self.show('limit', 'create', '--service', 'store', '--project', 'bounded', '--resource-limit', '20', 'shelves')
        self.do('limit', 'set', '--resource-limit', '25', limit['id'])
        self.assertEqual(self.show('limit', 'show', limit['id'])['resource_limit'], 25)
        self.assertEqual(len(self.show('limit', 'list', '--project', 'bounded')), 1)
        self.assertIn('403', self.refuse('registered', 'limit', 'delete', registered['id']), 'it has a limit under it')
        self.do('limit', 'delete', limit['id'])
        self.do('registered', 'limit', 'set', '--default-limit', '12', registered['id'])
        self.do('registered', 'limit', 'delete', registered['id'])

    def test_region_service_endpoint(self):
        self.do('region', 'create', '--description', 'a continent', 'europe')
        self.do('region', 'create', '--parent-region', 'europe', 'norway')
        self.do('region', 'set', '--description', 'fjords', 'norway')
        self.assertEqual(self.show('region', 'show', 'norway')['parent_region'], 'europe')
        self.do('service', 'create', '--name', 'weather', '--description', 'rain', 'meteorology')
        self.do('service', 'set', '--description', 'sun', 'weather')
        self.assertEqual(self.show('service', 'show', 'weather')['type'], 'meteorology')
        made = self.show('endpoint', 'create', '--region', 'norway', 'weather', 'public', 'http://weather.example.org/%(project_id)s')
        self.do('endpoint', 'set', '--url', 'http://sun.example.org/%(project_id)s', made['id'])
        self.assertEqual(self.show('endpoint', 'show', made['id'])['url'], 'http://sun.example.org/%(project_id)s')
        self.assertEqual(len(self.show('endpoint', 'list', '--service', 'weather')), 1)
        urls = [e['url'] for row in self.show('catalog', 'list') if row['Name'] == 'weather' for e in row['Endpoints']]
        self.assertEqual(urls, ['http://sun.example.org/' + self.show('token', 'issue')['project_id']])
        self.do('endpoint', 'delete', made['id'])
        self.do('service', 'delete', 'weather')
        self.do('region', 'delete', 'norway')
        self.do('region', 'delete', 'europe')

    def test_sign_in_by_token_and_scopes(self):
        first = self.show('token', 'issue')['id']
        again = self.show('token', 'issue', env=self.cloud.bare_environment(
            OS_AUTH_TYPE='token', OS_TOKEN=first, OS_PROJECT_NAME='admin', OS_PROJECT_DOMAIN_NAME='Default'))
        self.assertNotEqual(again['id'], first)
        self.do('role', 'add', '--user', 'admin', '--domain', 'default', 'admin')
        admin = self.cloud.password
        self.show('token', 'issue', env=self.as_user('admin', admin, OS_DOMAIN_NAME='Default'))
        self.show('token', 'issue', env=self.as_user('admin', admin, OS_SYSTEM_SCOPE='all'))
        self.assertNotIn('project_id', self.show('token', 'issue', env=self.as_user('admin', admin)))

    def test_one_time_codes_and_receipts(self):
        self.person('fred')
        user = self.show('user', 'show', 'fred')['id']
        secret = base64.b32encode(b'twenty bytes of luck').decode()
        self.do('credential', 'create', '--type', 'totp', 'fred', secret)
        # The step before this one is still good, so two codes can be used without waiting; not so near a step's end.
        time.sleep(max(0, time.time() % 30 - 24) and 30 - time.time() % 30)
        step = int(time.time()) // 30
        code = one_time_code(secret, step - 1)
        totp = {'methods': ['totp'], 'totp': {'user': {'id': user, 'passcode': code}}}
        status, body, _ = self.ask('POST', '/identity/v3/auth/tokens', {'auth': {'identity': totp}})
        self.assertEqual((status, body['token']['methods']), (201, ['totp']))
        status, _, _ = self.ask('POST', '/identity/v3/auth/tokens', {'auth': {'identity': totp}})
        self.assertEqual(status, 401, 'no code is good twice')
        self.do('user', 'set', '--enable-multi-factor-auth', '--multi-factor-auth-rule', 'password,totp', 'fred')
        password = {'methods': ['password'], 'password': {'user': {'id': user, 'password': 'fred-secret'}}}
        status, body, headers = self.ask('POST', '/identity/v3/auth/tokens', {'auth': {'identity': password}})
        self.assertEqual((status, body['required_auth_methods']), (401, [['password', 'totp']]))
        receipt = headers['openstack-auth-receipt']
        totp['totp']['user']['passcode'] = one_time_code(secret, step)
        status, body, _ = self.ask('POST', '/identity/v3/auth/tokens', {'auth': {'identity': totp}},
                                             headers={'Openstack-Auth-Receipt': receipt})
        self.assertEqual((status, sorted(body['token']['methods'])), (201, ['password', 'totp']))


if __name__ == '__main__':
    unittest.main()
