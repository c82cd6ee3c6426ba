# The gems are Debian's packages, so there is no Gemfile: what is required is what is installed.
require 'rails'
require 'action_controller/railtie'
require 'action_view/railtie'
require 'sprockets/railtie'
# Style sheets are compiled in the build; nothing compiles them when the application runs.
require 'sassc-rails' if ENV['RAILS_GROUPS'] == 'assets'
require 'pg'

module Logbook
  class Application < Rails::Application
    config.root = File.expand_path('..', __dir__)
    config.load_defaults 6.1
    config.eager_load = true
    config.cache_classes = true
    config.consider_all_requests_local = false
    config.hosts.clear
    config.secret_key_base = ENV.fetch('SECRET_KEY_BASE') { SecureRandom.hex(64) }
    config.logger = ActiveSupport::Logger.new($stdout)
    config.log_level = :info
    config.assets.compile = ENV['RAILS_GROUPS'] == 'assets'
    config.assets.precompile = ['application.css']
    config.public_file_server.enabled = true
  end
end
